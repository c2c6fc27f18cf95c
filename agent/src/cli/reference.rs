//! Manual pages, completions and `docs/cli.md`: made from the command line's definition, compared with what is
//! committed. `UPDATE_EXPECT=1 cargo test -p wats-agent reference` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Args, Exit};

fn command() -> Command {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    command
}

/// A command and all below it, hidden ones and `help` aside, each with its words: `wats-agent queue list`.
fn all(command: &Command, before: &[String]) -> Vec<(Vec<String>, Command)> {
    let words = [before, &[command.get_name().to_owned()]].concat();
    let shown = command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
    let below: Vec<_> = shown.flat_map(|it| all(it, &words)).collect();
    std::iter::once((words, command.clone())).chain(below).collect()
}

fn man_page(words: &[String], command: &Command) -> String {
    let title = words.join("-").to_uppercase();
    let man = Man::new(command.clone())
        .title(title)
        .section("8")
        .date("")
        .source("WATS Appliance")
        .manual("System administration");
    let mut page = Vec::new();
    man.render(&mut page).unwrap();
    let mut page = String::from_utf8(page).unwrap();
    if words.len() == 1 {
        page += ".SH \"EXIT STATUS\"\n";
        for exit in Exit::ALL {
            page += &format!(".TP\n.B {}\n{}\n", exit.code(), exit.meaning());
        }
        page += ".SH FILES\n.TP\n.I /etc/wats\\-agent/INSTANCE.toml\nConfiguration of one instance.\n.TP\n\
                 .I /var/lib/wats\\-agent/INSTANCE\nIts database and archive.\n.TP\n\
                 .I /run/wats\\-agent/INSTANCE.sock\nIts control API, with the token beside it.\n";
    }
    page
}

fn markdown() -> String {
    let mut text = "# The command line\n\n\
        Every command of `wats-agent`. Those that ask a running agent find it by its configuration: `--config FILE`, else\n\
        `/etc/wats-agent/default.toml`. `--json` makes every answer JSON. `wats-agent completions bash` prints the completions\n\
        of a shell; the Debian package installs them, and a manual page for each command.\n\n\
        ## What it ends with\n\n| Code | Meaning |\n|---|---|\n"
        .to_owned();
    for exit in Exit::ALL {
        text += &format!("| {} | {} |\n", exit.code(), exit.meaning());
    }
    for (words, command) in all(&command(), &[]) {
        let is_group = command.get_subcommands().any(|it| it.get_name() != "help");
        if words.len() == 1 {
            continue;
        }
        let about =
            command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        text += &format!("\n{} {}\n\n{}\n", "#".repeat(words.len()), words.join(" "), sentence(&about));
        if is_group {
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        text += &format!("\n```\n{}\n```\n", usage.trim_start_matches("Usage: "));
        let shown = |arg: &&Arg| !arg.is_hide_set() && !arg.is_global_set() && arg.get_id() != "help";
        let mut list = String::new();
        for arg in command.get_arguments().filter(shown) {
            if let Some(line) = argument(arg) {
                list += &line;
            }
        }
        if !list.is_empty() {
            text += &format!("\n| Argument | |\n|---|---|\n{list}");
        }
    }
    text
}

/// A row of the table; `None` for one about which nothing is said.
fn argument(arg: &Arg) -> Option<String> {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
    let values = arg.get_possible_values();
    let values: Vec<_> = values.iter().map(|it| format!("`{}`", it.get_name())).collect();
    let takes_value = arg.get_action().takes_values();
    let help = match (help, takes_value && !values.is_empty()) {
        (None, false) => return None,
        (None, true) => values.join(", "),
        (Some(help), false) => help,
        (Some(help), true) => format!("{help}: {}", values.join(", ")),
    };
    let name = match (arg.get_long(), takes_value) {
        (Some(long), true) => {
            let names = arg.get_value_names().unwrap_or_default();
            format!("--{long} {}", names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" "))
        }
        (Some(long), false) => format!("--{long}"),
        (None, _) => arg.get_id().as_str().to_uppercase(),
    };
    Some(format!("| `{}` | {} |\n", name.trim_end(), help.replace('\n', " ").replace('|', "\\|")))
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

fn check(folder: &str, wanted: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for (name, text) in wanted {
        expect_test::expect_file![folder.join(name)].assert_eq(text);
    }
    let there: BTreeSet<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    let wanted: BTreeSet<_> = wanted.keys().cloned().collect();
    assert_eq!(there, wanted, "a page of a command that is no more, or one that is missing");
}

#[test]
fn the_manual_pages_are_current() {
    let pages = all(&command(), &[]).into_iter();
    let pages = pages.map(|(words, command)| (format!("{}.8", words.join("-")), man_page(&words, &command)));
    check("packaging/man", &pages.collect());
}

#[test]
fn the_completions_are_current() {
    let shells =
        [(Shell::Bash, "wats-agent.bash"), (Shell::Zsh, "_wats-agent"), (Shell::Fish, "wats-agent.fish")];
    let files = shells.into_iter().map(|(shell, name)| {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "wats-agent", &mut text);
        (name.to_owned(), String::from_utf8(text).unwrap())
    });
    check("packaging/completions", &files.collect());
}

#[test]
fn the_documented_command_line_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    expect_test::expect_file![path].assert_eq(&markdown());
}

#[test]
fn every_command_says_what_it_does_and_every_option_too() {
    for (words, command) in all(&command(), &[]) {
        assert!(command.get_about().is_some(), "{words:?}");
        for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
            let is_plain = matches!(arg.get_id().as_str(), "name" | "location" | "purpose" | "help");
            assert!(is_plain || arg.get_help().is_some(), "{words:?} --{}", arg.get_id());
        }
    }
}
