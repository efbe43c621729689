//! JSON exports: documents anywhere in a text, alone, concatenated or behind a prompt.
//!
//! An object is known by its keys ([`Shape`]), wherever it stands in the document, so that a list, one
//! bare object and the element that `--query` took out all read alike. A document without any known
//! object is a gap; host names in it are named there as hints and are never facts.

use serde_json::value::RawValue;

use super::grammar::{address, asked};
use super::{Line, RunText, SavedFormat, Sink, browser, command, export};
use crate::evidence::{CloudMapping, Fact, Mapping, Run, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;
use crate::x509;

pub mod acm;
pub mod apigateway;
pub mod cloudfront;
pub mod dns;
pub mod document;
pub mod ec2;
pub mod elbv2;
mod hcl;
mod peer;
pub mod registration;
pub mod route53;
pub mod scanner;
mod table;
pub mod terraform;
mod tree;
mod yaml;

use document::{Object, Text, elements};

/// JSON, as the AWS CLI and RDAP servers print it.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "json",
    made_by: "aws … --output json, yaml or table, terraform state show, terraform show -json, terraform.tfstate, RDAP, DNS over HTTPS, kdig +json, sslyze --json_out, testssl.sh --jsonfile-pretty",
    is_command: |words| {
        words.first().is_some_and(|word| {
            matches!(word.as_str(), "aws" | "terraform" | "tofu")
                || (word == "kdig" && words.iter().any(|it| it == "+json"))
        })
    },
    opens: |line| {
        table::opens(line)
            || hcl::opens(line)
            || terraform::begins_template(line)
            || is_text_output(line)
            || yaml::opens(line)
            || matches!(line, "{" | "[" | "[{" | "{}" | "[]")
            || line.starts_with("{\"")
            || line.starts_with("[{\"")
    },
    repeats: false,
    read,
};

/// An object known by its keys.
pub struct Shape {
    /// Its id, for people.
    pub id: &'static str,
    /// Whether an object is one.
    pub is: fn(&Object<'_>) -> bool,
    /// What it says; `None` where what matters is not in it.
    pub read: fn(&Object<'_>, &[String]) -> Option<Mapping>,
}

/// All shapes; of several that fit the first counts.
pub static SHAPES: &[&Shape] = &[
    &apigateway::DOMAIN_NAME,
    &apigateway::DOMAIN_NAME_V2,
    &apigateway::REST_API,
    &apigateway::API_V2,
    &apigateway::BASE_PATH_MAPPING,
    &apigateway::API_MAPPING,
    &route53::RECORD_SET,
    &route53::TEST_DNS_ANSWER,
    &route53::HOSTED_ZONE,
    &registration::ROUTE53_DOMAIN,
    &registration::RDAP_DOMAIN,
    &acm::DESCRIBED,
    &acm::GOTTEN,
    &ec2::VPC_ENDPOINT,
    &ec2::NETWORK_INTERFACE,
    &cloudfront::DISTRIBUTION,
    &elbv2::LOAD_BALANCER,
    &elbv2::LISTENER,
    &elbv2::LISTENER_CERTIFICATE,
    &terraform::RECORD,
    &terraform::DOMAIN_NAME,
    &terraform::DOMAIN_NAME_V2,
    &terraform::CERTIFICATE,
    &terraform::ZONE,
];

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let words = &run.command;
    let domain = command::value(words, &["--domain-name"]).and_then(address::host);
    let region = command::value(words, &["--region"]).map(str::to_owned);
    if words.first().is_some_and(|word| word == "kdig") {
        let query = asked::dig(words);
        sink.observe(run.fact("kdig", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
        query.observe_server(run, sink);
    } else if !words.is_empty() {
        let it = Run {
            run: run.number,
            tool: words.first().cloned().unwrap_or_default(),
            version: run.version.clone(),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: domain.clone(),
            server_name: ServerName::Unknown,
        };
        sink.observe(Fact::Run(it), [run.first_line()]);
    }
    let mut wished = run.lines.iter().find(|line| terraform::begins_template(&line.text)).map(|line| line.number);
    let laid_out = laid_out(run, &mut wished);
    let text = Text::of(laid_out.as_deref().unwrap_or(run.lines));
    let documents = text.documents();
    let mut exported = Exported::default();
    for document in &documents {
        if exported.takes(document, sink)
            || scanner::read(document, run, sink)
            || dns_answers(document, run, sink)
            || peer::read(document, run, sink)
        {
            continue;
        }
        let mut found = Found::default();
        if let Some(root) = document.root() {
            find(root, words, 0, &mut found);
        }
        if found.has_wish {
            wished = wished.or(Some(document.first_line()));
        }
        if document.text().contains("\"terraform_version\"") {
            sink.leave_unquoted(document.lines().filter(|(_, line)| line.len() > QUOTED_CHARS_MAX).map(|it| it.0));
        }
        let found = found.objects;
        if found.is_empty() && wished.is_none() && !is_empty_list(document.text()) {
            browser::read_within(run, sink);
            sink.gap(document.first_line(), unknown(document.text()));
        }
        for (value, mapping) in found {
            let region = region.clone().or_else(|| region_in_arn(value.get()));
            let fact = Fact::CloudMapping(CloudMapping { says: mapping, region, run: Some(run.number) });
            sink.observe(fact, document.lines_of(value));
        }
        if document.is_cut {
            let why = "it ends in the middle; what stands before is read".to_owned();
            sink.gap(document.first_line(), GapReason::Undecoded { what: "JSON".to_owned(), why });
        }
    }
    exported.finish(sink);
    if let Some(line) = wished {
        sink.gap(line, terraform::wish());
    }
    let has_pem = in_pem(run, sink);
    errors(run, domain.as_ref(), region.as_ref(), sink);
    let is_text = run.lines.iter().any(|line| is_text_output(&line.text));
    if documents.is_empty()
        && !has_pem
        && (is_text || words.first().is_some_and(|word| word == "aws"))
        && !is_error(run)
    {
        let why = "--output text loses the keys; ask for --output json".to_owned();
        sink.gap(run.first_line(), GapReason::Undecoded { what: "aws output".to_owned(), why });
    }
}

/// `get-certificate` with `--output text` or `table`: the certificate and its chain as PEM. It is configuration, which
/// no server need present. Whether there was any.
fn in_pem(run: &RunText<'_>, sink: &mut Sink) -> bool {
    let is_aws = run.command.first().is_some_and(|word| word == "aws");
    if !is_aws && !run.lines.iter().any(|line| table::opens(&line.text)) {
        return false;
    }
    let blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let mut is_first = true;
    for block in &blocks {
        let Ok(der) = &block.der else { continue };
        let (certificate, _) = x509::der::read(der);
        sink.configured.extend(certificate.sha256.clone());
        if std::mem::take(&mut is_first) {
            let says = acm::of_certificate(certificate, &run.command);
            let fact = Fact::CloudMapping(CloudMapping { says, region: None, run: Some(run.number) });
            sink.observe(fact, block.first..=block.last);
        }
    }
    !is_first
}

/// Reads the certificates that a program of Node.js prints as JSON.
pub(super) fn read_peer(run: &RunText<'_>, sink: &mut Sink) {
    for document in &Text::of(run.lines).documents() {
        peer::read(document, run, sink);
    }
}

/// A row of `--output text`: a list's name in capitals, and values between tabs whose keys are lost.
fn is_text_output(line: &str) -> bool {
    let Some((heading, _)) = line.split_once('\t') else { return false };
    TEXT_HEADINGS.contains(&heading)
}

/// The JSON that YAML, a table or Terraform's own text stands for.
fn laid_out(run: &RunText<'_>, wished: &mut Option<u32>) -> Option<Vec<Line>> {
    let layout = command::value(&run.command, &["--output"]);
    let has = |opens: fn(&str) -> bool| run.lines.iter().any(|line| opens(&line.text));
    let is_json = run.lines.iter().any(|line| line.text.starts_with(['{', '[']));
    let tree = match layout {
        Some("yaml") => yaml::read(run.lines),
        Some("table") => table::read(run.lines),
        _ if is_json => None,
        _ if has(hcl::opens) => hcl::read(run.lines).map(|found| {
            *wished = wished.or(found.wished);
            found.tree
        }),
        _ if has(table::opens) => table::read(run.lines),
        _ if has(yaml::opens) => yaml::read(run.lines),
        _ => None,
    };
    tree.map(|tree| tree.lines())
}

/// Exports among the documents: those that follow each other are one.
#[derive(Default)]
struct Exported {
    open: Option<(&'static export::Export, export::Reading)>,
}

impl Exported {
    fn takes(&mut self, document: &document::Document<'_>, sink: &mut Sink) -> bool {
        let head: String = document.text().chars().take(HEAD_CHARS).collect();
        let Some(export) = export::detect(head.as_bytes()) else { return false };
        if self.open.as_ref().is_none_or(|(open, _)| open.id != export.id) {
            std::mem::take(self).finish(sink);
        }
        let (_, reading) = self.open.get_or_insert_with(|| (export, export::Reading::of(export)));
        for (number, line) in document.lines() {
            reading.feed_line(number, line, sink);
        }
        true
    }

    fn finish(self, sink: &mut Sink) {
        if let Some((_, reading)) = self.open {
            reading.finish(sink);
        }
    }
}

/// Reads a document of DNS answers; whether it is one.
fn dns_answers(document: &document::Document<'_>, run: &RunText<'_>, sink: &mut Sink) -> bool {
    let Some(root) = document.root() else { return false };
    let all = if root.get().starts_with('[') { elements(root) } else { vec![root] };
    let mut is_one = false;
    for value in all.into_iter().take(OBJECTS_MAX) {
        if let Some(answer) = Object::of(value).and_then(|object| dns::answer(&object, run)) {
            sink.observe(Fact::DnsAnswer(answer), document.lines_of(value));
            is_one = true;
        }
    }
    is_one
}

/// What a document holds.
#[derive(Default)]
struct Found<'d> {
    objects: Vec<(&'d RawValue, Mapping)>,
    /// A part of it only asks for something.
    has_wish: bool,
}

/// The known objects, outermost first; a known object is not searched any further.
fn find<'d>(value: &'d RawValue, command: &[String], depth: usize, found: &mut Found<'d>) {
    if depth > DEPTH_MAX || found.objects.len() >= OBJECTS_MAX {
        return;
    }
    if let Some(object) = Object::of(value) {
        if terraform::is_wish(&object) {
            found.has_wish = true;
            if let Some(state) = object.value("prior_state") {
                find(state, command, depth + 1, found);
            }
            return;
        }
        if let Some(shape) = SHAPES.iter().find(|shape| (shape.is)(&object)) {
            found.objects.extend((shape.read)(&object, command).map(|mapping| (value, mapping)));
            return;
        }
        for inner in object.values().filter(|inner| inner.get().starts_with(['{', '['])) {
            find(inner, command, depth + 1, found);
        }
    } else {
        for inner in elements(value) {
            find(inner, command, depth + 1, found);
        }
    }
}

/// `{"items": []}` and its like say that there is nothing.
fn is_empty_list(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    bare == "[]" || bare == "{}" || (bare.starts_with("{\"") && bare.ends_with(":[]}") && !bare.contains(','))
}

fn unknown(text: &str) -> GapReason {
    let mut names: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '*'))
        .filter(|word| HINTS.iter().any(|hint| word.contains(hint)))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(HINTS_SHOWN);
    let hints = if names.is_empty() { String::new() } else { format!("; names in it: {}", names.join(", ")) };
    GapReason::Undecoded {
        what: "JSON".to_owned(),
        why: format!("not recognised (ask for the whole output, without --query){hints}"),
    }
}

/// The region in `arn:aws:acm:us-east-1:…`.
fn region_in_arn(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"arn:aws")?;
    let mut parts = rest.split(':');
    let region = parts.nth(2)?;
    (region.contains('-') && region.len() < 32).then(|| region.to_owned())
}

fn is_error(run: &RunText<'_>) -> bool {
    run.lines.iter().any(|line| line.text.contains("An error occurred ("))
}

/// What the AWS CLI says when there is no such custom domain.
fn errors(run: &RunText<'_>, domain: Option<&Name>, region: Option<&String>, sink: &mut Sink) {
    let Some(domain) = domain else { return };
    let line = run.lines.iter().find(|line| {
        line.text.contains("(NotFoundException) when calling the GetDomainName operation")
            || line.text.contains("(NotFoundException) when calling the GetApiMappings operation")
    });
    if let Some(line) = line {
        let says = Mapping::NoCustomDomain { domain: domain.clone() };
        let it = CloudMapping { says, region: region.cloned(), run: Some(run.number) };
        sink.observe(Fact::CloudMapping(it), run.command_line.iter().map(|it| it.number).chain([line.number]));
    }
}

/// What tells an export from other JSON stands in its first characters.
const HEAD_CHARS: usize = 4096;
/// Modules of Terraform stand within each other.
const DEPTH_MAX: usize = 16;
/// A longer line of a state holds much that is nobody's business.
const QUOTED_CHARS_MAX: usize = 400;
const OBJECTS_MAX: usize = 100_000;
const HINTS: &[&str] = &[".execute-api.", ".cloudfront.net"];
const HINTS_SHOWN: usize = 8;
/// How the commands whose output is read begin their rows with `--output text`.
const TEXT_HEADINGS: &[&str] = &[
    "CERTIFICATE",
    "CERTIFICATESUMMARYLIST",
    "DOMAINNAMECONFIGURATIONS",
    "ENDPOINTCONFIGURATION",
    "ITEMS",
    "DISTRIBUTION",
    "DISTRIBUTIONLIST",
    "NETWORKINTERFACES",
    "VPCENDPOINTS",
    "CERTIFICATES",
    "LISTENERS",
    "LOADBALANCERS",
    "HOSTEDZONE",
    "HOSTEDZONES",
    "RESOURCERECORDSETS",
    "RESOURCERECORDS",
    "ALIASTARGET",
    "RECORDDATA",
    "NAMESERVERS",
];
