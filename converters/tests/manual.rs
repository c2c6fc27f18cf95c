//! The pages of the formats, `docs/converters/NAME.md`, are made from what the converters declare of themselves.
//!
//! `UPDATE_EXPECT=1 cargo test -p wats-converters --test manual` writes them anew.

use expect_test::expect_file;
use wats_converters::{About, ArgumentKind, selectable};

/// The page of a format.
fn page(about: &About) -> String {
    let patterns: Vec<String> = about.file_patterns.iter().map(|it| format!("`{it}`")).collect();
    let mut page = format!(
        "# {}\n\n{}\n\n| | |\n|---|---|\n| Name | `{}` |\n| Vendor | {} |\n| Files | {} |\n\n## Setting the tester up\n\n{}\n\n\
         ## From the file to the report\n\n| In the file | In the report |\n|---|---|\n",
        about.title,
        about.description,
        about.name,
        about.vendor,
        patterns.join(", "),
        about.manual.setup,
    );
    for (file, report) in about.manual.mapping {
        page.push_str(&format!("| {file} | {report} |\n"));
    }
    page.push_str("\n## Arguments\n\n");
    if about.arguments.is_empty() {
        page.push_str("None.\n");
    } else {
        page.push_str("| Name | Meaning | Values | Default |\n|---|---|---|---|\n");
    }
    for argument in about.arguments {
        let values = match argument.kind {
            ArgumentKind::Text => "text".to_owned(),
            ArgumentKind::ProcessCode => "a process code, 1 to 32767".to_owned(),
            ArgumentKind::Choice(words) => words.join(", "),
            ArgumentKind::Flag => "`true` or `false`".to_owned(),
            ArgumentKind::Whole(least, most) => format!("{least} to {most}"),
        };
        let default = match argument.default {
            "" => "none".to_owned(),
            // A bar would end the cell.
            other => format!("`{}`", other.replace('|', "\\|")),
        };
        page.push_str(&format!(
            "| `{}` | {} | {values} | {default} |\n",
            argument.name, argument.description
        ));
    }
    page.push_str("\n## Known limits\n\n");
    if about.manual.limits.is_empty() {
        page.push_str("None beyond those of [all converters](../converters.md).\n");
    }
    for limit in about.manual.limits {
        page.push_str(&format!("- {limit}\n"));
    }
    page
}

#[test]
fn every_format_has_its_page() {
    for converter in selectable() {
        let about = converter.about();
        let path = format!("{}/../docs/converters/{}.md", env!("CARGO_MANIFEST_DIR"), about.name);
        expect_file![path].assert_eq(&page(about));
    }
}

/// The list in the manual names every format, and no other.
#[test]
fn the_list_of_formats_is_complete() {
    let manual = include_str!("../../docs/converters.md");
    for converter in selectable() {
        let about = converter.about();
        let row = format!("| [`{0}`](converters/{0}.md) | {1} |", about.name, about.title);
        assert!(manual.contains(&row), "docs/converters.md lacks the row {row}");
    }
    assert_eq!(manual.matches("](converters/").count(), selectable().count());
}
