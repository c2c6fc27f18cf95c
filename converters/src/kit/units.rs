//! XML documents of several units that break off: what is complete of them.

use roxmltree::Document;

use super::xml::{self, Kind};
use crate::ConvertError;

/// Parses a document whose units are elements of that local name right below its root. Of one that breaks off what is
/// complete is read, with a warning for the rest; `mended` then holds the text that is read instead.
///
/// # Errors
/// As [`xml::parse`], also when no unit is complete.
pub(crate) fn parse<'t>(
    text: &'t str,
    unit: &str,
    mended: &'t mut Option<String>,
    warnings: &mut Vec<String>,
) -> Result<Document<'t>, ConvertError> {
    let error = match xml::parse(text) {
        Ok(document) => return Ok(document),
        Err(error) => error,
    };
    let Some((complete, count)) = complete(text, unit) else { return Err(error) };
    let document = xml::parse(mended.insert(complete))?;
    let place = error.place.map(|place| format!(" ({place})")).unwrap_or_default();
    warnings.push(format!(
        "the file breaks off in the middle of a unit{place}: {count} complete before it {} taken",
        if count == 1 { "is" } else { "are" }
    ));
    Ok(document)
}

/// The document up to the end of the last complete element right below its root, with the root closed, and how many
/// units it has; `None` for one without a complete unit, and for one whose root is closed, which has another fault.
fn complete(text: &str, unit: &str) -> Option<(String, usize)> {
    let mut root = None;
    let mut depth = 0_usize;
    let mut last = None;
    let mut count = 0;
    for tag in xml::tags(text) {
        let name = xml::tag_name(tag.inside);
        match tag.kind {
            Kind::Open => {
                root.get_or_insert(name);
                depth += 1;
            }
            Kind::Close => depth = depth.checked_sub(1)?,
            Kind::Empty => {}
        }
        if depth == 0 {
            return None;
        }
        if depth == 1 && tag.kind != Kind::Open {
            last = Some(tag.after);
            count += usize::from(is_local(name, unit));
        }
    }
    let kept = text.get(..text.len() - last?.len())?;
    (count > 0).then(|| (format!("{kept}</{}>", root.unwrap_or_default()), count))
}

fn is_local(name: &str, local: &str) -> bool {
    name.rsplit(':').next().is_some_and(|own| own.eq_ignore_ascii_case(local))
}

/// How many elements of that local name a document begins, complete or not.
pub(crate) fn begun(text: &str, unit: &str) -> usize {
    text.split('<').skip(1).filter(|tag| is_local(xml::tag_name(tag), unit)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_complete_up_to_their_closing_tag() {
        let whole = "<r:R x='>'><h/><r:U a='1'/><!-- </r:R> --><r:U><U>b</U></r:U><r:U><c></c></r:U></r:R>";
        let up_to = |end: &str| whole.split_once(end).map(|(before, _)| format!("{before}{end}")).unwrap();
        for (text, expected) in [
            (up_to("<h/>"), None),
            (up_to("a='1'/"), None),
            (up_to("a='1'/>"), Some(1)),
            (up_to("<U>b</U>"), Some(1)),
            (up_to("<U>b</U></r:U>"), Some(2)),
            (up_to("<c></c></r:U></r:"), Some(3)),
            (up_to("<c></c></r:U>") + "<end/><r:", Some(3)),
            (whole.to_owned(), None),
        ] {
            let found = complete(&text, "U");
            assert_eq!(found.as_ref().map(|(_, count)| *count), expected, "{text}");
            assert!(found.is_none_or(|(kept, _)| kept.ends_with("</r:R>")), "{text}");
        }
        assert_eq!((begun("<R><x:U/><U>a<U", "U"), begun("<R><UU/></U>", "U")), (3, 0));
    }

    #[test]
    fn what_is_complete_is_read_and_another_fault_stays_an_error() {
        let mut warnings = Vec::new();
        for wrong in ["<R><U></U><U></V></R>", "<R><U></V><U>", "<R><U>", "<R>"] {
            assert!(parse(wrong, "U", &mut None, &mut warnings).is_err(), "{wrong}");
        }
        assert_eq!(warnings, Vec::<String>::new());
        let mut mended = None;
        let cut = parse("<R><U>a</U><U>b</U><U>c", "U", &mut mended, &mut warnings).unwrap();
        assert_eq!(cut.root_element().children().count(), 2);
        assert_eq!(warnings.len(), 1);
    }
}
