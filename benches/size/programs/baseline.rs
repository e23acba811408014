//! The program that does nothing. Its size is subtracted from that of the other two.

fn main() {}
