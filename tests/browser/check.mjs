// Opens HTML reports in a real browser: no overflow from 320 to 1400 px in light, dark and print, no
// violation of the Content-Security-Policy, no request, headings in a sensible order, every link reached
// with the keyboard, no id twice. usage: node check.mjs FILE.html... ; pictures go to $SHOTS.
import { chromium } from "playwright-core";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const shots = process.env.SHOTS ?? "../../target/browser";
const files = process.argv.slice(2);
if (files.length === 0) throw new Error("no report given");
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let failed = 0;
let passed = 0;
const check = (name, is_right, found) => {
  if (is_right) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${found}`);
  }
};

for (const file of files) {
  const name = basename(file, ".html");
  const page = await browser.newPage();
  const trouble = [];
  page.on("console", (message) => trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) trouble.push(`request for ${request.url()}`);
  });
  await page.goto(pathToFileURL(resolve(file)).href);
  check(`${name} console`, trouble.length === 0, trouble.join("; "));
  check(`${name} has no script`, !/<script|javascript:| style=| on[a-z]+=/i.test(readFileSync(file, "utf8")), "markup that the policy forbids");

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, media: "screen" });
    for (const width of [320, 360, 414, 600, 719, 720, 900, 1179, 1180, 1280, 1400]) {
      await page.setViewportSize({ width, height: 900 });
      const over = await page.evaluate(() => {
        const root = document.documentElement;
        const wide = [...document.querySelectorAll("main *")].filter((it) => {
          const box = it.getBoundingClientRect();
          return box.width > 0 && box.right > root.clientWidth + 1 && !it.closest("svg") && !it.closest(".vh");
        });
        return { page: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 3).map((it) => it.outerHTML.slice(0, 120)) };
      });
      check(`${name} ${colorScheme} ${width} px`, over.page <= 0 && over.wide.length === 0, JSON.stringify(over));
      const pictures = await page.evaluate(() => [...document.querySelectorAll("figure")].map((it) => [...it.querySelectorAll("svg.path")].filter((svg) => svg.getBoundingClientRect().height > 0).length));
      check(`${name} ${width} px shows one picture`, pictures.every((count) => count === 1), pictures.join());
      if ([360, 1400].includes(width)) await page.screenshot({ path: `${shots}/${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await page.setViewportSize({ width: 720, height: 1000 });
  const print = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(`${name} print`, print <= 0, `${print} px too wide`);
  await page.pdf({ path: `${shots}/${name}.pdf`, format: "A4" });
  await page.emulateMedia({ media: "screen" });

  const outline = await page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
    return {
      twice: ids.filter((id, at) => ids.indexOf(id) !== at),
      headings: [...document.querySelectorAll("h1, h2, h3")].map((it) => Number(it.tagName[1])),
      dead: [...document.querySelectorAll("a[href^='#']")].filter((it) => !document.getElementById(it.getAttribute("href").slice(1))).length,
      unlabelled: [...document.querySelectorAll("[aria-labelledby]")].filter((it) => it.getAttribute("aria-labelledby").split(" ").some((id) => !document.getElementById(id))).length,
    };
  });
  check(`${name} ids`, outline.twice.length === 0, outline.twice.join());
  check(`${name} links`, outline.dead === 0 && outline.unlabelled === 0, JSON.stringify(outline));
  const steps = outline.headings.every((level, at) => at === 0 || level <= outline.headings[at - 1] + 1);
  check(`${name} headings`, outline.headings[0] === 1 && outline.headings.filter((it) => it === 1).length === 1 && steps, outline.headings.join());

  // The accessibility tree: the headline comes before the path, the path before the proof.
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const byId = new Map(nodes.map((it) => [it.nodeId, it]));
  const read = [];
  const visit = (it) => {
    if (!it.ignored) read.push(`${it.role?.value}: ${it.name?.value ?? ""}`);
    for (const child of it.childIds ?? []) if (byId.has(child)) visit(byId.get(child));
  };
  visit(nodes[0]);
  const at = (word) => read.findIndex((it) => it.startsWith("heading:") && word.test(it));
  const order = [/path of the request/, /What (proves it|is known)/, /Sources/].map(at).filter((it) => it >= 0);
  check(`${name} reading order`, order.every((it, nth) => nth === 0 || it > order[nth - 1]), order.join());
  check(`${name} picture has words`, read.filter((it) => it.startsWith("image") && it.length < 12).length === 0, "an image without a name");

  await page.setViewportSize({ width: 1280, height: 900 });
  await page.evaluate(() => document.activeElement.blur());
  const links = await page.evaluate(() => [...document.querySelectorAll("a")].filter((it) => it.getClientRects().length > 0).length);
  const reached = new Set();
  for (let step = 0; step < links + 2; step += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => (document.activeElement.tagName === "A" ? document.activeElement.getAttribute("href") + [...document.querySelectorAll("a")].indexOf(document.activeElement) : "")));
  }
  reached.delete("");
  check(`${name} keyboard`, reached.size === links, `${reached.size} of ${links} links`);
  await page.close();
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
