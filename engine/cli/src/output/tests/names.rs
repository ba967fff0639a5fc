use super::*;
use loglens_engine::portable::unique_names;

#[test]
fn a_repeated_name_gets_the_first_free_number() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&["x", "y"], &["x", "y"]),
        (&["x", "x", "x"], &["x", "x_1", "x_2"]),
        (&["x", "x", "x_1"], &["x", "x_2", "x_1"]),
        (&["x_1", "x", "x", "x_1"], &["x_1", "x", "x_2", "x_1_1"]),
        (&["", ""], &["", "_1"]),
    ];
    for (given, expected) in cases {
        let fields: Vec<_> = given
            .iter()
            .map(|name| Field::new(*name, DataType::Int8, true))
            .collect();
        let unique = unique_names(&Schema::new(fields));
        let names: Vec<&str> = unique
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, expected);
    }
}
