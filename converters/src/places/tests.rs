use proptest::prelude::*;

use super::*;

fn named(names: &[&str]) -> Vec<Sought> {
    names.iter().map(|name| Sought { name: (*name).to_owned(), ..Sought::default() }).collect()
}

#[track_caller]
fn check(text: &str, steps: &[Sought], expected: &[Option<usize>]) {
    let lines: Vec<_> = find(text.as_bytes(), steps).into_iter().map(|it| it.map(|spot| spot.line)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn steps_are_found_one_after_the_other_and_made_up_ones_are_not() {
    let text = "SN;R2-17\nANL;R1;4.7\nANL;R2;5.1\nANL;R1;4.8\nEND\n";
    check(text, &named(&["Main", "R1", "R2", "R1"]), &[None, Some(2), Some(3), Some(4)]);
    // Part of a longer word is another word.
    check("R10 4\nxR1\nR1_2\n", &named(&["R1"]), &[None]);
}

#[test]
fn a_place_that_is_not_certain_is_not_said() {
    check("a\nb\na\n", &named(&["a"]), &[None]);
    check("a\nb\na\n", &named(&["a", "b"]), &[Some(1), Some(2)]);
    check("a\nb\na\n", &named(&["b", "a"]), &[Some(2), Some(3)]);
    check("a\na\nb\n", &named(&["a", "b"]), &[None, Some(3)]);
}

#[test]
fn what_was_measured_tells_steps_of_one_name_apart() {
    let text = "Vout 4.9\nnote on Vout\nVout\t5.100E+00\tV\n";
    let sought = |number| Sought { name: "Vout".to_owned(), numbers: vec![number], texts: Vec::new() };
    check(text, &[sought(5.1)], &[Some(3)]);
    let text = "ID aa\nID bb\n";
    let step = Sought { name: "ID".to_owned(), numbers: Vec::new(), texts: vec!["bb".to_owned()] };
    check(text, &[step], &[Some(2)]);
}

#[test]
fn names_are_found_as_json_and_xml_write_them() {
    let steps = named(&["a \"b\"", "c & <d>"]);
    check("{\"name\": \"a \\\"b\\\"\",\n \"name\": \"c & <d>\"}", &steps, &[Some(1), Some(2)]);
    check(
        "<Step Name=\"a &quot;b&quot;\"/>\n<Step Name=\"c &amp; &lt;d&gt;\"/>",
        &steps,
        &[Some(1), Some(2)],
    );
    let steps = named(&["Spannung µ"]);
    check("x\r\nSpannung \u{b5}\r\n", &steps, &[Some(2)]);
    assert_eq!(find(b"x\nSpannung \xb5\n", &steps)[0].as_ref().unwrap().line, 2, "Windows-1252");
}

#[test]
fn in_one_long_line_the_column_says_where() {
    let mut text = "{\"steps\":[".to_owned();
    for number in 0..1000 {
        text.push_str(&format!("{{\"name\":\"step {number}\",\"status\":\"P\"}},"));
    }
    let names: Vec<String> = (0..1000).map(|number| format!("step {number}")).collect();
    let steps = named(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let found = find(text.as_bytes(), &steps);
    let spot = found[500].as_ref().unwrap();
    assert_eq!(spot.line, 1);
    assert!(text.get(spot.column - 1..).unwrap().starts_with("step 500"));
    assert!(spot.text.contains("\"step 500\"") && spot.text.chars().count() <= SHOWN, "{}", spot.text);
}

#[test]
fn nothing_is_said_of_what_cannot_be_looked_through() {
    assert_eq!(find(b"MZ\0\0a", &named(&["a"])), [None]);
    assert_eq!(find(&vec![b'a'; LARGEST + 1], &named(&["a"])), [None]);
    let many = "a\n".repeat(2000);
    assert_eq!(find(many.as_bytes(), &named(&["a"; 2000])).iter().flatten().count(), 0, "too many hits");
    assert_eq!(find(b"a", &[]), []);
    assert_eq!(find(b"a", &named(&["", " "])), [None, None]);
}

proptest! {
    /// Against trying out every way: a step is found exactly when all best ways agree on its line.
    #[test]
    fn it_agrees_with_trying_out_all_ways(
        lines in prop::collection::vec("[abc]", 1..7),
        names in prop::collection::vec("[abc]", 1..5),
    ) {
        let text = lines.join("\n");
        let mut ways: Vec<Vec<Option<usize>>> = vec![Vec::new()];
        for name in &names {
            ways = ways.into_iter().flat_map(|way| {
                let last = way.iter().flatten().copied().max().unwrap_or(0);
                let next = lines.iter().enumerate().map(|(at, line)| (at + 1, line))
                    .filter(move |(at, line)| *at > last && *line == name).map(|(at, _)| Some(at));
                std::iter::once(None).chain(next).map(move |place| {
                    let mut way = way.clone();
                    way.push(place);
                    way
                }).collect::<Vec<_>>()
            }).collect();
        }
        let score = |way: &Vec<Option<usize>>| way.iter().flatten().count();
        let best = ways.iter().map(score).max().unwrap_or(0);
        ways.retain(|way| score(way) == best);
        let expected: Vec<Option<usize>> = (0..names.len())
            .map(|step| ways[0][step].filter(|_| ways.iter().all(|way| way[step] == ways[0][step])))
            .collect();
        let steps = named(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let found: Vec<_> = find(text.as_bytes(), &steps).into_iter().map(|it| it.map(|spot| spot.line)).collect();
        prop_assert_eq!(found, expected);
    }
}
