//! Whole passes against the embedded cloud, with misfortune drawn from seeds.
pub mod calendar;
pub mod campaign;
pub mod case;
pub mod coverage;
pub mod draw;
pub mod judge;
pub mod logs;
pub mod meaning;
pub mod rules;
pub mod run;
pub mod seam;
pub mod shrink;
pub mod trace;
pub mod witness;
pub mod world;
