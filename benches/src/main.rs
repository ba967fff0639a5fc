//! `loglens-bench compare`: every case against every peer, with equal answers.

fn main() {}
