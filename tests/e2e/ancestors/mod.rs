//! What went wrong in tools of this kind before. Each of the fourteen mistakes has one test, which
//! carries its number and is named after the promise that it must not be made again.

mod keeping;
mod taking;
mod telling;
