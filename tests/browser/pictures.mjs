// Pictures of real output: the terminal's from its ANSI text, the page's from the page itself.
// usage: node pictures.mjs FOLDER-OF-OUTPUT FOLDER-OF-PICTURES
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [from, to] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

const colours = { 1: "font-weight:700", 2: "opacity:.7", 91: "color:#ff7b72", 92: "color:#7ee787", 93: "color:#e3b341", 94: "color:#79c0ff" };
const escaped = (text) => text.replace(/[&<>]/g, (it) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[it]);

/// ANSI text as HTML: the program writes `ESC[codes m` and `ESC[0m` only.
function terminal(ansi, title) {
  const body = ansi.split("\u001b[").map((part, nth) => {
    if (nth === 0) return escaped(part);
    const end = part.indexOf("m");
    const codes = part.slice(0, end);
    const text = escaped(part.slice(end + 1));
    return codes === "0" ? `</span>${text}` : `<span style="${codes.split(";").map((code) => colours[code] ?? "").join(";")}">${text}`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
body{margin:0;background:#0d1117;display:inline-block}
.bar{background:#161b22;color:#8b949e;font:13px "Liberation Mono",monospace;padding:9px 16px}
pre{margin:0;padding:14px 20px 18px;font:14px/1.4 "DejaVu Sans Mono","Liberation Mono",monospace;color:#e6edf3}
</style><div class="bar">${escaped(title)}</div><pre>${body.join("")}</pre>`;
}

async function shoot(page, file, how) {
  await page.screenshot({ path: `${to}/${file}`, ...how });
}

const page = await browser.newPage({ deviceScaleFactor: 1.5 });
const terminals = [
  ["terminal", "$ whycert diagnose customer.pcapng", 46],
  ["hosts", "$ whycert diagnose captures/", 44],
];
for (const [name, title, rows] of terminals) {
  const ansi = readFileSync(`${from}/${name}.ansi`, "utf8").split("\n").slice(0, rows).join("\n");
  await page.setContent(terminal(ansi, title));
  await shoot(await page.$("body"), `${name}.png`, {});
}
await page.close();

for (const colorScheme of ["light", "dark"]) {
  const wide = await browser.newPage({ viewport: { width: 1280, height: 1080 }, colorScheme });
  await wide.goto(pathToFileURL(resolve(`${from}/page.html`)).href);
  await shoot(wide, `page-${colorScheme}.png`, {});
  await wide.close();
}
await browser.close();
