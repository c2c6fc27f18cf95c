//! The table of steps: rows in a fixed order of columns, sequences by opening and closing rows.

use wats::report::{BooleanMeas, Chart, Double, Extra, NumericMeas, Series, Status, Step, StringMeas, Text};
use wats::wsjf::MAX_DEPTH;

use crate::kit::build::Names;
use crate::kit::{text, tree, verdict};
use crate::{ConvertError, ErrorKind};

/// Builds the tree row by row.
pub(super) struct Steps {
    /// The open sequences, outermost first; the first element stands for the root.
    open: Vec<Open>,
    /// True: verdicts that the file leaves out are computed. False: they are Passed.
    active: bool,
}

#[derive(Default)]
struct Open {
    step: Option<Step>,
    status_stated: bool,
    children: Vec<Step>,
    /// The last child takes further measurements of its kind.
    continues: bool,
    /// What an opening bracket says of the step whose measurements follow.
    bracket: Option<Step>,
    /// The names of the last child's measurements, from its second one on.
    names: Option<Names>,
}

/// One row by its columns; missing ones are empty.
struct Row<'a>(&'a [&'a str]);

impl Row<'_> {
    fn at(&self, column: usize) -> &str {
        self.0.get(column).copied().unwrap_or_default()
    }
    fn step_name(&self) -> &str {
        self.at(1)
    }
    fn measure_name(&self) -> &str {
        self.at(2)
    }
    fn value(&self) -> &str {
        self.at(3)
    }
    fn low(&self) -> &str {
        self.at(4)
    }
    fn high(&self) -> &str {
        self.at(5)
    }
    fn operator(&self) -> &str {
        self.at(6)
    }
    fn unit(&self) -> &str {
        self.at(7)
    }
    fn status(&self) -> Option<Status> {
        // A status that says that none is known states none.
        Status::from_word(self.at(8)).filter(|status| *status != Status::Unknown)
    }
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { open: vec![Open::default()], active: true }
    }

    pub(super) fn set_mode(&mut self, mode: &str) {
        self.active = !mode.eq_ignore_ascii_case("import");
    }

    pub(super) fn row(
        &mut self,
        fields: &[&str],
        number: usize,
        warnings: &mut Vec<String>,
    ) -> Result<(), ConvertError> {
        let row = Row(fields);
        let mut kind = Text::from(row.at(0));
        kind.make_ascii_lowercase();
        // A multiple test that measures nothing is an opening bracket: the measurements follow.
        if kind.starts_with("multiple") && fields.iter().skip(2).take(4).all(|field| field.is_empty()) {
            let name = Some(row.step_name()).filter(|name| !name.is_empty());
            let status = row.status().unwrap_or(Status::Unknown);
            let bracket = name.map(|name| common(Step::new("Action", name, status), &row, number, warnings));
            self.flush();
            let top = self.top();
            top.continues &= bracket.is_none();
            top.bracket = bracket;
            return Ok(());
        }
        let follows = matches!(kind.as_str(), "steptype" | "chart" | "series") || kind.ends_with("test");
        if !follows || kind.starts_with("end") {
            self.flush();
        }
        match kind.as_str() {
            "steptype" => {}
            "sequencecall" => self.open_sequence(&row, number, warnings)?,
            "endsequencecall" => self.close_sequence(&row, number, warnings),
            "numericlimittest" | "multiplenumericlimittest" => self.numeric(&row, number, warnings),
            "passfailtest" | "multiplepassfailtest" => self.pass_fail(&row, number, warnings),
            "stringvaluetest" | "multiplestringvaluetest" => self.string(&row, number, warnings),
            "actionstep" => {
                let status = row.status().unwrap_or(Status::Done);
                let step = common(
                    Step::new("Action", or(row.step_name(), "Action"), status),
                    &row,
                    number,
                    warnings,
                );
                self.add(step);
            }
            "chart" => self.chart(&row, number, warnings),
            "series" => self.series(&row, number, warnings),
            "endmultiplenumericlimittest" | "endmultiplestringvaluetest" | "endmultiplepassfailtest" => {
                let top = self.top();
                top.continues = false;
                top.bracket = None;
            }
            other => warnings
                .push(format!("line {number}: step type \"{other}\" is not known; the row is ignored")),
        }
        Ok(())
    }

    /// Closes what is open and returns the root's children.
    pub(super) fn into_tree(mut self, warnings: &mut Vec<String>) -> Vec<Step> {
        if self.open.len() > 1 {
            warnings.push(format!(
                "{} sequences were still open at the end and were closed",
                self.open.len() - 1
            ));
        }
        while self.open.len() > 1 {
            self.fold();
        }
        self.flush();
        let mut children = self.open.pop().map(|root| root.children).unwrap_or_default();
        children.iter_mut().for_each(|step| settle(step, warnings));
        children
    }

    fn top(&mut self) -> &mut Open {
        if self.open.is_empty() {
            self.open.push(Open::default());
        }
        let last = self.open.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the list was just made sure not to be empty")]
        &mut self.open[last]
    }

    /// A bracket without measurements, as of a test that was skipped, is a step without any.
    fn flush(&mut self) {
        if let Some(mut step) = self.top().bracket.take() {
            if step.status == Status::Unknown {
                step.status = Status::Done;
            }
            self.top().children.push(step);
        }
    }

    fn add(&mut self, step: Step) {
        let top = self.top();
        top.continues = true;
        top.names = None;
        top.children.push(step);
    }

    fn open_sequence(
        &mut self,
        row: &Row<'_>,
        number: usize,
        warnings: &mut Vec<String>,
    ) -> Result<(), ConvertError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(ConvertError::new(
                ErrorKind::TooLarge,
                format!("sequences are nested more than {MAX_DEPTH} deep"),
            )
            .at_line(number, None)
            .help("Check that every SequenceCall row has its EndSequenceCall row."));
        }
        let stated = row.status();
        let mut step = common(Step::sequence(or(row.step_name(), "Sequence")), row, number, warnings);
        step.status = stated.unwrap_or(Status::Passed);
        self.open.push(Open { step: Some(step), status_stated: stated.is_some(), ..Open::default() });
        Ok(())
    }

    fn close_sequence(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        if self.open.len() <= 1 {
            warnings.push(format!("line {number}: EndSequenceCall without a SequenceCall; ignored"));
            return;
        }
        let top = self.top();
        if let Some(mut step) = top.step.take() {
            if !row.step_name().is_empty() && row.step_name() != step.name {
                warnings.push(format!(
                    "line {number}: EndSequenceCall names \"{}\", and \"{}\" is open",
                    row.step_name(),
                    step.name
                ));
            }
            if let Some(status) = row.status() {
                step.status = status;
                top.status_stated = true;
            }
            top.step = Some(common(step, row, number, warnings));
        }
        self.fold();
    }

    /// Puts the innermost open sequence under the one around it.
    fn fold(&mut self) {
        self.flush();
        let Some(closed) = self.open.pop() else { return };
        let Some(mut step) = closed.step else { return };
        if !closed.status_stated {
            step.status = tree::rolled_up(&closed.children);
        }
        step.steps = Some(closed.children);
        let top = self.top();
        top.children.push(step);
        top.continues = false;
    }

    /// The last step, if this row adds a measurement to it: it names no step, or the same one with a measurement, and one
    /// of both is of several measurements.
    fn continued(
        &mut self,
        row: &Row<'_>,
        is_kind: fn(&Step) -> bool,
    ) -> Option<(&mut Step, &mut Option<Names>)> {
        let top = self.top();
        if !top.continues {
            return None;
        }
        let several = row.at(0).get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("multiple"));
        let is_open = |step: &Step| is_kind(step) && (several || step.step_type.starts_with("ET_M"));
        let last = top.children.last_mut().filter(|step| is_open(step))?;
        let unnamed = row.step_name().is_empty() && !row.measure_name().is_empty();
        let same = row.step_name() == last.name && !row.measure_name().is_empty();
        (unnamed || same).then_some((last, &mut top.names))
    }

    /// A row that opens a step of several measurements: it names the measurement, and it or the bracket around it the
    /// step.
    fn is_multiple(&mut self, row: &Row<'_>) -> bool {
        let named = !row.step_name().is_empty() || self.top().bracket.is_some();
        named && !row.measure_name().is_empty()
    }

    /// The step that a row opens.
    fn opened(
        &mut self,
        (kind, default): (&str, &str),
        status: Status,
        row: &Row<'_>,
        number: usize,
        warnings: &mut Vec<String>,
    ) -> Step {
        let own = row.step_name();
        if self.top().bracket.as_ref().is_some_and(|bracket| !own.is_empty() && own != bracket.name) {
            self.flush();
        }
        let bracket = self.top().bracket.take();
        let name: Text = match &bracket {
            Some(bracket) => bracket.name.clone(),
            None => or(own, or(row.measure_name(), default)).into(),
        };
        let mut step = common(Step::new(kind, name, status), row, number, warnings);
        if let Some(bracket) = bracket {
            // A step of a single measurement has its status.
            if kind.starts_with("ET_M") {
                worsen(&mut step, bracket.status);
            }
            step.tot_time = bracket.tot_time.or(step.tot_time);
            step.error_code = bracket.error_code.or(step.error_code);
            step.caused_seq_failure = bracket.caused_seq_failure.or(step.caused_seq_failure);
            if let Some(message) = &bracket.rare.error_message {
                step.rare.error_message = Some(message.clone());
            }
            if let Some(text) = bracket.report_text {
                let after = step.report_text.replace(text);
                add_text(&mut step, after.as_deref().unwrap_or_default());
            }
        }
        step
    }

    fn verdict(&self, row: &Row<'_>, computed: Status) -> Status {
        match row.status() {
            Some(status) => status,
            None if self.active => computed,
            None => Status::Passed,
        }
    }

    fn numeric(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        let value = text::number(row.value()).unwrap_or_else(|| {
            warnings.push(format!("line {number}: value \"{}\" is no number; NaN is sent", row.value()));
            f64::NAN
        });
        let mut limit = |column: &str| {
            let limit = text::number(column);
            if limit.is_none() && !column.is_empty() {
                warnings.push(format!("line {number}: limit \"{column}\" is no number; left out"));
            }
            limit
        };
        let (low, high) = (limit(row.low()), limit(row.high()));
        let (operator, low, high) = tree::limits(row.operator(), low, high);
        let status = self.verdict(row, tree::numeric(&operator, value, low, high));
        let name = measure_name(row, warnings);
        let measurement = |name: Option<Text>, status: Status| NumericMeas {
            comp_op: operator.clone(),
            name,
            status,
            unit: Some(row.unit()).filter(|unit| !unit.is_empty()).map(Into::into),
            value: Double::new(value),
            high_limit: high.map(Double::new),
            low_limit: low.map(Double::new),
            formats: None,
            extra: Extra::new(),
        };
        if let Some((step, names)) = self.continued(row, |step| !step.numeric_meas.is_empty()) {
            let first = step.numeric_meas.first_mut().map(|first| &mut first.name);
            let name = unique(name.as_deref(), first, &step.name, names);
            step.numeric_meas.push(measurement(name, measured(status)));
            step.step_type = "ET_MNLT".into();
            worsen(step, status);
            add_text(step, row.at(10));
            return;
        }
        let multiple = self.is_multiple(row);
        let kind = if multiple { "ET_MNLT" } else { "ET_NLT" };
        let mut step = self.opened((kind, "NumericTest"), status, row, number, warnings);
        step.numeric_meas.push(measurement(name.filter(|_| multiple), measured(status)));
        self.add(step);
    }

    fn pass_fail(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        // The status is the value of a pass/fail measurement: a stated Failed counts, and a False cannot pass.
        let mut word = Text::from(row.value());
        word.make_ascii_uppercase();
        let status = match word.as_str() {
            "TRUE" | "1" | "PASS" | "PASSED" => self.verdict(row, Status::Passed),
            "FALSE" | "0" | "FAIL" | "FAILED" => match self.verdict(row, Status::Failed) {
                Status::Passed if self.active => Status::Failed,
                other => other,
            },
            other => {
                if row.status().is_none() {
                    warnings.push(format!("line {number}: value \"{other}\" is neither true nor false"));
                }
                self.verdict(row, Status::Failed)
            }
        };
        let name = measure_name(row, warnings);
        if let Some((step, names)) = self.continued(row, |step| !step.boolean_meas.is_empty()) {
            let first = step.boolean_meas.first_mut().map(|first| &mut first.name);
            let name = unique(name.as_deref(), first, &step.name, names);
            step.boolean_meas.push(BooleanMeas { name, status: measured(status), extra: Extra::new() });
            step.step_type = "ET_MPFT".into();
            worsen(step, status);
            add_text(step, row.at(10));
            return;
        }
        let multiple = self.is_multiple(row);
        let kind = if multiple { "ET_MPFT" } else { "ET_PFT" };
        let mut step = self.opened((kind, "PassFailTest"), status, row, number, warnings);
        let name = name.filter(|_| multiple);
        step.boolean_meas.push(BooleanMeas { name, status: measured(status), extra: Extra::new() });
        self.add(step);
    }

    fn string(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        let limit = Some(row.low()).filter(|limit| !limit.is_empty());
        let operator = tree::string_operator(row.operator(), limit);
        let limit = limit.filter(|_| operator != "LOG");
        let status = self.verdict(row, tree::string(operator, row.value(), limit.unwrap_or_default()));
        let name = measure_name(row, warnings);
        let value = text::fit(row.value(), 100, "text value", warnings);
        let limit = limit.map(|limit| text::fit(limit, 100, "text limit", warnings));
        let measurement = |name| StringMeas {
            comp_op: operator.into(),
            name,
            status: measured(status),
            value: Some(value.clone()),
            limit: limit.clone(),
            extra: Extra::new(),
        };
        if let Some((step, names)) = self.continued(row, |step| !step.string_meas.is_empty()) {
            let first = step.string_meas.first_mut().map(|first| &mut first.name);
            let name = unique(name.as_deref(), first, &step.name, names);
            step.string_meas.push(measurement(name));
            step.step_type = "ET_MSVT".into();
            worsen(step, status);
            add_text(step, row.at(10));
            return;
        }
        let multiple = self.is_multiple(row);
        let kind = if multiple { "ET_MSVT" } else { "ET_SVT" };
        let mut step = self.opened((kind, "StringTest"), status, row, number, warnings);
        step.string_meas.push(measurement(name.filter(|_| multiple)));
        self.add(step);
    }

    /// Columns: type, label, YUnit, YLabel, XUnit, XLabel.
    fn chart(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        let column = |index: usize| Some(row.at(index).to_owned()).filter(|text| !text.is_empty());
        let chart = Chart {
            chart_type: column(1).or_else(|| Some("Line".to_owned())).map(Into::into),
            label: column(2).map(Into::into),
            y_unit: column(3).map(Into::into),
            y_label: column(4).map(Into::into),
            x_unit: column(5).map(Into::into),
            x_label: column(6).map(Into::into),
            ..Chart::default()
        };
        match self.top().children.last_mut() {
            Some(step) if step.rare.chart.is_none() => step.rare.chart = Some(Box::new(chart)),
            _ => warnings.push(format!("line {number}: a chart belongs to a step, one to each; ignored")),
        }
    }

    /// Columns: name, data type, ydata, xdata; the numbers are joined by semicolons.
    fn series(&mut self, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) {
        let points = |column: usize| tree::points(row.at(column));
        let Some(chart) = self.top().children.last_mut().and_then(|step| step.rare.get_mut()?.chart.as_mut())
        else {
            warnings.push(format!("line {number}: a series without a chart; ignored"));
            return;
        };
        let Some(ydata) = points(3) else {
            warnings.push(format!("line {number}: the series has no numbers that can be read; ignored"));
            return;
        };
        if chart.series.len() >= 10 || ydata.split(';').count() > 10_000 {
            warnings.push(format!("line {number}: more than 10 series or 10 000 points; ignored"));
            return;
        }
        chart.series.push(Series {
            data_type: Some(or(row.at(2), "XYG").into()),
            name: Some(row.at(1).into()),
            xdata: points(4).map(Into::into),
            ydata: Some(ydata.into()),
            extra: Extra::new(),
        });
    }
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

fn measure_name(row: &Row<'_>, warnings: &mut Vec<String>) -> Option<Text> {
    Some(row.measure_name())
        .filter(|name| !name.is_empty())
        .map(|name| text::fit(name, 100, "measurement name", warnings))
}

/// The server wants the names of several measurements to differ. `first` is that of the first one: it was given, or not,
/// before it was known that there would be more.
fn unique(
    name: Option<&str>,
    first: Option<&mut Option<Text>>,
    step: &str,
    names: &mut Option<Names>,
) -> Option<Text> {
    let names = names.get_or_insert_with(|| {
        let mut names = Names::default();
        if let Some(first) = first {
            *first = Some(names.unique(first.as_deref().unwrap_or(step)));
        }
        names
    });
    Some(names.unique(name.unwrap_or_default()))
}

/// A single measurement has to agree with its step, so it takes over whatever the row states; Done is not known to
/// measurements.
fn measured(status: Status) -> Status {
    match status {
        Status::Done | Status::Unknown => Status::Passed,
        other => other,
    }
}

/// The worst of several measurements is the step's.
fn worsen(step: &mut Step, status: Status) {
    let rank = |status: Status| match status {
        Status::Error => 4,
        Status::Failed => 3,
        Status::Terminated => 2,
        Status::Passed | Status::Done | Status::Unknown => 1,
        Status::Skipped => 0,
    };
    if rank(status) > rank(step.status) {
        step.status = measured(status);
    }
}

/// Adds a line to the text of a step.
fn add_text(step: &mut Step, line: &str) {
    if !line.is_empty() {
        verdict::add_text(step, line);
    }
}

/// Makes the measurements agree with what their bracket says of the step.
fn settle(step: &mut Step, warnings: &mut Vec<String>) {
    if step.step_type.starts_with("ET_M") {
        verdict::agree(step, warnings);
    }
    step.steps.iter_mut().flatten().for_each(|inner| settle(inner, warnings));
}

/// What every kind of row may state: time, text and error. Empty columns leave the step as it is.
fn common(mut step: Step, row: &Row<'_>, number: usize, warnings: &mut Vec<String>) -> Step {
    if text::needs_fit(&step.name, 100) {
        step.name = text::fit(&step.name, 100, "step name", warnings);
    }
    let has_data = !step.numeric_meas.is_empty();
    // A single measurement and its step must agree, and a measurement cannot be Done.
    if !has_data && step.step_type.starts_with("ET_") && step.status == Status::Done {
        step.status = Status::Passed;
    }
    if !row.at(9).is_empty() {
        match text::number(row.at(9)) {
            Some(seconds) => step.tot_time = Some(Double::new(seconds)),
            None => warnings
                .push(format!("line {number}: time \"{}\" is no number of seconds; ignored", row.at(9))),
        }
    }
    if !row.at(10).is_empty() {
        step.report_text = Some(text::fit(row.at(10), 100_000, "report text", warnings));
    }
    if !row.at(11).is_empty() {
        match row.at(11).parse() {
            Ok(code) => step.error_code = Some(code),
            Err(_) => warnings
                .push(format!("line {number}: error code \"{}\" is no whole number; ignored", row.at(11))),
        }
    }
    if !row.at(12).is_empty() {
        step.rare.error_message = Some(text::fit(row.at(12), 200, "error message", warnings));
    }
    if row.at(13).eq_ignore_ascii_case("true") {
        step.caused_seq_failure = Some(true);
    }
    step
}
