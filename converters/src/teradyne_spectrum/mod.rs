//! Teradyne Spectrum: items in brackets, in two dialects.
//!
//! In one, steps and pages are nested: `(STEP: … (PAGE: …) (STAT: …))`. In the other the same items follow each other
//! line by line, and the order tells what belongs together. `items` reads the notation, `runs` which steps there are,
//! `pages` what was measured.

mod items;
mod pages;
mod runs;

use jiff::ZonedDateTime;
use wats::report::{Double, Report, Status, Step, Time, Uut};

use self::items::{Item, Parsed};
use self::pages::{Page, measure, status};
use self::runs::{Main, Run, runs};
use crate::kit::decimal::Decimals;
use crate::kit::pattern::{self, Pattern};
use crate::kit::{build, header, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct TeradyneSpectrum;

const ABOUT: About = About {
    name: "teradyne-spectrum",
    title: "Teradyne Spectrum in-circuit test",
    vendor: "Teradyne",
    description: "Text files of items in brackets, as Spectrum testers export them (CTRD); one report for each program run.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.txt"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "30",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "programNameToPartNumberRegEx",
            description: "Regular expression that finds the part number in the program's name, as its group PartNumber",
            default: r"(?P<PartNumber>\w+)",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "units",
            description: "file: values keep the prefix that the file gives them, as in kOhm; base: all are without one",
            default: "file",
            kind: ArgumentKind::Choice(&["file", "base"]),
        },
        Argument {
            name: "userInfoAddMiscInfo",
            description: "USER lines that become misc infos, joined by semicolons",
            default: "OrderNumber;CustomerSerialnumber;TestSpecRef",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "userInfoStationName",
            description: "USER line with the name of the station",
            default: "Machine",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "userInfoSequenceVersion",
            description: "USER line with the version of the test sequence",
            default: "SequenceRev",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Let the tester export its results as text into the watched folder. Serial number, operator and verdict are log lines that the test \
                program writes: `(USER: Serialnumber: …)`, `(USER: Operator: …)`, `(USER: STATUS: BOARD PASSED)`.",
        mapping: &[
            ("PROGRAM_NAME", "pn, by the regular expression; name of the root"),
            ("USER: Serialnumber", "sn; the time of conversion as YYYYMMDDHHMMSS when there is none"),
            ("USER: Operator", "uut.user and misc info Operator"),
            (
                "USER: Machine, SequenceRev, OrderNumber …",
                "machineName, version of the root, misc infos, as set",
            ),
            (
                "USER: STATUS",
                "result: failed when it contains FAIL, terminated with ABORT or TERMINAT, error with ERROR; with nested steps it alone decides, else a failed step fails too",
            ),
            ("other USER lines", "reportText of the root, with a warning about those that have a key"),
            ("TIME of the first step; of the last less it", "start, month first; uut.execTime"),
            ("SECTION_NAME", "a sequence"),
            ("a step with several pages", "a sequence with its SNAME; DESC is its reportText"),
            ("a step with one page", "the page alone; DESC stands before its comment"),
            ("PAGE_NAME, STAT", "a step and its status; FAIL and ERROR failed, else passed"),
            (
                "MEASVAL, LOLIM, HILIM",
                "a numeric test in the unit of the value, as the argument units says; without a value pass/fail",
            ),
            ("several INTC_RESULT with values", "one test with several numbers, named by their nodes"),
            ("GROUP_NAME and FSCAN_PIN", "steps of their own behind the page"),
            ("CONNECTED_NODES", "its first test point is added to the step's name"),
            (
                "COMMENT, NOMVAL, FAIL_MSG, PROG_NAME, RESULT, limits without a value or in another unit",
                "reportText",
            ),
        ],
        limits: &[
            "Node lists, pins and vectors of pages that passed are not taken over; of nested pages that failed they stand in the report text.",
            "SUBPROGRAM_NAME, USER: Date, StartTime and EndTime are not taken over: each step has its time.",
            "Where items are not nested, PAGE_NAME and STAT must stand on one line.",
        ],
    },
};

impl Converter for TeradyneSpectrum {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..30_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let has = |key: &str| text.contains(&format!("({key}:")) || text.contains(&format!("( {key}:"));
        match (has("PROGRAM_NAME"), has("PAGE_NAME")) {
            (true, _) if has("MEASVAL") => {
                Qualification::new(0.95, "items PROGRAM_NAME and MEASVAL in brackets")
            }
            (true, true) => Qualification::new(0.95, "items PROGRAM_NAME and PAGE_NAME in brackets"),
            (true, false) => Qualification::new(0.85, "an item PROGRAM_NAME in brackets"),
            (false, true) if has("STAT") => Qualification::new(0.7, "items PAGE_NAME and STAT in brackets"),
            _ => Qualification::none("neither PROGRAM_NAME nor PAGE_NAME in brackets"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let pattern = pattern::of(arguments, "programNameToPartNumberRegEx", "PartNumber", None)?;
        let Parsed { items, error, outside } = items::parse(&decoded);
        let mut runs = runs(&items, &mut warnings);
        if let Some((key, error)) = error {
            // What follows the last complete item belongs to the last run, but for the beginning of a next one.
            if !key.eq_ignore_ascii_case("PROGRAM_NAME") {
                runs.pop();
            }
            if runs.is_empty() {
                return Err(error);
            }
            warnings.push(format!(
                "the last run is not complete ({}): the {} before it are taken",
                error.problem,
                runs.len()
            ));
        }
        if outside > 0 {
            warnings.push(format!("{outside} lines stand outside of brackets and are left out"));
        }
        let mut file = File { input, arguments, pattern, decimals: Decimals::default() };
        let mut reports = Vec::with_capacity(runs.len());
        for run in &runs {
            reports.push(file.report(run, &mut warnings)?);
        }
        if reports.is_empty() {
            return Err(ConvertError::new(
                ErrorKind::WrongFormat,
                "there is neither PROGRAM_NAME nor a step",
            )
            .expected("items in brackets, as Teradyne Spectrum writes them")
            .help("Check that the right converter is set for this folder."));
        }
        warnings.extend(file.decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

/// What all runs of a file share.
struct File<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    pattern: Pattern,
    decimals: Decimals,
}

impl File<'_> {
    fn report(&mut self, run: &Run<'_, '_>, warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
        if run.steps.is_empty() {
            return Err(ConvertError::new(ErrorKind::NotYet, "the program has no step")
                .expected("(STEP: …), or (TYPE: …) (TIME: …) for each step")
                .help("Perhaps the file was still being written; drop the whole file again."));
        }
        if run.user("StartTime").is_some() && run.user("EndTime").is_none() && run.user("STATUS").is_none() {
            return Err(ConvertError::new(
                ErrorKind::NotYet,
                "the run has a start time, and neither an end time nor a status",
            )
            .expected("(USER: EndTime: …) or (USER: STATUS: …) at the end")
            .help("Perhaps the file was still being written; drop the whole file again."));
        }
        let program = run.program.as_deref().unwrap_or(&self.input.file_name);
        let zone = &self.input.station.time_zone;
        let serial = run.user("Serialnumber").map_or_else(
            || {
                warnings
                    .push("there is no USER line Serialnumber: the time of conversion is used".to_owned());
                self.input.now.to_zoned_datetime(zone.clone()).strftime("%Y%m%d%H%M%S").to_string()
            },
            ToOwned::to_owned,
        );
        let mut report = Report::without_root(self.part_number(program, warnings), serial, "1");
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        let station = run.user(self.arguments.text("userInfoStationName"));
        report.machine_name = station.unwrap_or("TeradyneSpectrum").into();
        report.location = "Production".into();
        report.purpose = "ICT Test".into();
        let times = self.times(run, warnings);
        let first = times.iter().flatten().next();
        report.start = first.map(Time::from_zoned);
        let seconds = between(first, times.iter().flatten().next_back());
        let operator = run.user("Operator").unwrap_or_default();
        report.uut = Some(Uut { user: Some(operator.into()), exec_time: seconds, ..Uut::default() });
        let notes = self.infos(&mut report, run, operator, warnings);

        let steps = self.sections(run, &times, warnings);
        report.result = self.result(run, tree::rolled_up(&steps), warnings);
        let version = run.user(self.arguments.text("userInfoSequenceVersion")).unwrap_or("1.0");
        let mut root = build::sequence(program, program, version, steps);
        root.status = report.result;
        root.report_text = (!notes.is_empty()).then(|| notes.join("\n")).map(Into::into);
        report.root = Some(root);
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    /// The verdict of the USER line; where items are not nested, a failed step fails the board as well.
    fn result(&self, run: &Run<'_, '_>, computed: Status, warnings: &mut Vec<String>) -> Status {
        let Some(stated) = run.user("STATUS") else { return computed };
        let words = stated.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if has(&["FAIL"]) {
            Status::Failed
        } else if has(&["ABORT", "TERMINAT", "CANCEL"]) {
            Status::Terminated
        } else if has(&["ERROR"]) {
            Status::Error
        } else if has(&["PASS"]) {
            if run.steps.iter().all(|step| step.nested) { Status::Passed } else { computed }
        } else {
            warnings.push(format!("the status \"{stated}\" is no verdict of a board: its steps decide"));
            computed
        }
    }

    fn part_number<'p>(&self, program: &'p str, warnings: &mut Vec<String>) -> &'p str {
        self.pattern.find(program).unwrap_or_else(|| {
            warnings.push(format!(
                "programNameToPartNumberRegEx finds no part number in \"{program}\": all of it is used"
            ));
            program
        })
    }

    /// The time of each step, where it can be read.
    fn times(&self, run: &Run<'_, '_>, warnings: &mut Vec<String>) -> Vec<Option<ZonedDateTime>> {
        let zone = &self.input.station.time_zone;
        let read = |step: &Main<'_, '_>| {
            let time = time::civil(&step.time, &["%m/%d/%Y %H:%M:%S"]);
            let time = time.and_then(|time| time::zoned(time, zone));
            if time.is_none() {
                warnings.push(format!(
                    "line {}: \"{}\" is no time like 01/15/2025 10:30:00",
                    step.line, step.time
                ));
            }
            time
        };
        run.steps.iter().map(read).collect()
    }

    /// Adds the USER lines that have been chosen, and answers with those that have no place of their own.
    fn infos<'r>(
        &self,
        report: &mut Report,
        run: &'r Run<'_, '_>,
        operator: &str,
        warnings: &mut Vec<String>,
    ) -> Vec<&'r str> {
        report.misc_infos.push(build::info("File", &self.input.file_name));
        if !operator.is_empty() {
            report.misc_infos.push(build::info("Operator", operator));
        }
        let chosen: Vec<&str> =
            self.arguments.text("userInfoAddMiscInfo").split(';').map(str::trim).collect();
        let is_chosen = |name: &str| chosen.iter().any(|it| it.eq_ignore_ascii_case(name));
        let settings = ["userInfoStationName", "userInfoSequenceVersion"];
        let mut notes: Vec<&str> = Vec::new();
        let mut others: Vec<&str> = Vec::new();
        for line in &run.users {
            let Some((name, value)) = line.split_once(':') else {
                notes.push(line);
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if is_chosen(name) {
                if !value.is_empty() {
                    report.misc_infos.push(build::info(name, value));
                }
            } else if !READ.iter().any(|it| it.eq_ignore_ascii_case(name))
                && !settings.iter().any(|it| self.arguments.text(it).eq_ignore_ascii_case(name))
            {
                notes.push(line);
                if others.len() < 20 && !others.contains(&name) {
                    others.push(name);
                }
            }
        }
        if !others.is_empty() {
            warnings.push(format!(
                "USER lines that nothing names stand in the text of the root: {}; userInfoAddMiscInfo makes misc infos of them",
                others.join(", ")
            ));
        }
        notes
    }

    /// The steps in their sections; those before all sections stand in the root.
    fn sections(
        &mut self,
        run: &Run<'_, '_>,
        times: &[Option<ZonedDateTime>],
        warnings: &mut Vec<String>,
    ) -> Vec<Step> {
        let mut sections: Vec<Vec<Step>> = run.sections.iter().map(|_| Vec::new()).collect();
        for (index, main) in run.steps.iter().enumerate() {
            let Some(mut step) = self.step(main, warnings) else { continue };
            if main.nested {
                let next = times.get(index + 1).and_then(Option::as_ref);
                step.tot_time = between(times.get(index).and_then(Option::as_ref), next);
            }
            if let Some(section) = sections.get_mut(main.section) {
                section.push(step);
            }
        }
        let mut steps = Vec::new();
        for (name, inner) in run.sections.iter().zip(sections) {
            if name.is_empty() {
                steps.extend(inner);
            } else {
                steps.push(build::sequence(name, &text::joined(&[name, ".seq"]), "1.0.0", inner));
            }
        }
        steps
    }

    fn step(&mut self, main: &Main<'_, '_>, warnings: &mut Vec<String>) -> Option<Step> {
        let mut pages: Vec<Page> = Vec::with_capacity(main.pages.len());
        for items in &main.pages {
            self.page(items, main, &mut pages, warnings);
        }
        let base_units = self.arguments.text("units") == "base";
        let name = if main.name.is_empty() { "Step" } else { &*main.name };
        match pages.as_mut_slice() {
            [] => {
                if !main.nested {
                    warnings.push(format!("line {}: the step {name} has no page and is left out", main.line));
                    return None;
                }
                let mut step = build::pass_fail(name, main.status.unwrap_or(Status::Passed));
                step.report_text = Some(&*main.description).filter(|text| !text.is_empty()).map(Into::into);
                Some(step)
            }
            [page] => {
                if main.status == Some(Status::Failed) {
                    page.status = Status::Failed;
                }
                Some(page.step(&main.description, base_units))
            }
            pages => {
                let steps = pages.iter().map(|page| page.step("", base_units)).collect();
                let mut step = build::sequence(name, &text::joined(&[name, ".seq"]), "1.0.0", steps);
                step.status = main.status.unwrap_or(step.status);
                step.report_text = Some(&*main.description).filter(|text| !text.is_empty()).map(Into::into);
                Some(step)
            }
        }
    }

    /// Adds a page and what it holds of steps of their own; none without a status.
    fn page(
        &mut self,
        items: &[&Item<'_>],
        main: &Main<'_, '_>,
        pages: &mut Vec<Page>,
        warnings: &mut Vec<String>,
    ) {
        let groups = items.iter().position(|item| item.is("GROUP_NAME")).unwrap_or(items.len());
        let (head, groups) = items.split_at_checked(groups).unwrap_or((items, &[]));
        let find = |key: &str| head.iter().find(|item| item.is(key)).copied();
        let name = find("PAGE_NAME").map(Item::text).unwrap_or_else(|| main.name.clone());
        let stated = find("STAT").map(|word| status(&word.text()));
        let Some(stated) = stated.or(main.status) else {
            warnings.push(format!(
                "line {}: the page {name} has no status on its line and is left out",
                main.line
            ));
            return;
        };
        let mut page = Page::new(&name, stated);
        if let Some(comment) = find("COMMENT") {
            page.comment(&comment.text());
        }
        let own = ["TYPE", "PAGE_NAME", "COMMENT", "STAT"];
        let rest = head.iter().filter(|item| !own.iter().any(|key| item.is(key))).chain(groups);
        let rest: Vec<&Item<'_>> = rest.copied().collect();
        if stated == Status::Failed && main.nested {
            // Whoever repairs the board needs all that the tester said.
            let said = rest.iter().map(|item| format!("({}:{})", item.key, item.raw));
            let said = said.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
            page.note(said.chars().take(MAX_SAID).collect());
        }
        let mut own = vec![page];
        measure(&rest, &mut own, &mut self.decimals);
        pages.append(&mut own);
    }
}

/// As much of a failed page stands in the report text.
const MAX_SAID: usize = 5000;

/// USER lines that have their place in a report, and those of the clock.
const READ: &[&str] = &["Serialnumber", "Operator", "STATUS", "Date", "StartTime", "EndTime"];

fn between(from: Option<&ZonedDateTime>, to: Option<&ZonedDateTime>) -> Option<Double> {
    time::between(from?.timestamp(), to?.timestamp())
}
