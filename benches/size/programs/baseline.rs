//! A program that does nothing. Its size is subtracted from the sizes of the other two programs.

fn main() {}
