//! Black-box tests of Unum over real processes.
