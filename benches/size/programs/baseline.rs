//! A program that does nothing. Its size is subtracted from the sizes of the two programs that decode.

fn main() {}
