//! Nothing twice, nothing lost: whole passes against the embedded cloud, with misfortune drawn
//! from seeds, and a judge that looks for anything that must not be.
//!
//! A seed is drawn into a [`case::Case`], which is data: a tenancy, and steps in which time passes,
//! people do something, things go wrong, and one to three passes run ([`draw`]). It is then
//! played ([`run`]): the program's own handler in this process, on one thread, under tokio's
//! paused clock, with the embedded cloud's handlers where the network is ([`sandbox`]). No socket,
//! no waiting, no randomness of its own: a seed is the same run every time, request by request,
//! and takes milliseconds. After each step, and when misfortune has stopped and two more passes
//! of each phase were made, the invariants are asked for ([`judge`]); what was there to be asked
//! about is counted ([`coverage`]), and a large campaign ([`campaign`]) in which something never
//! happened fails, since it has proved nothing about that.
//!
//! The rules of what is taken and what goes are said a second time here, short, slow and in other
//! ways than in the program: windows in [`calendar`], verdicts in [`rules`]. Metadata is drawn
//! together with what it means ([`meaning`]), so nothing of the program's reading is trusted.
//!
//! A share of the seeds runs as the built program, over sockets, by the real clock, so that
//! the seam hides nothing. What is different then is said in [`case::Pace`] and in the README
//! beside this crate, and how the case is made quick enough in [`draw::case_by_the_real_clock`].
//!
//! Weeks of one tenancy ([`weeks`]), restores ([`restores`]) and several clouds behind one sandbox
//! ([`clouds`]) are seeds of their own kind.
//!
//! The way of a failing seed: the campaign prints a command that replays it with its story
//! ([`trace`]), and a smaller case that violates the same invariant ([`shrink`]).

pub mod calendar;
pub mod campaign;
pub mod case;
pub mod clouds;
pub mod coverage;
pub mod draw;
pub mod findings;
pub mod judge;
pub mod logs;
pub mod meaning;
pub mod mistakes;
pub mod restores;
pub mod rules;
pub mod run;
pub mod sandbox;
pub mod shrink;
pub mod trace;
pub mod weeks;
pub mod witness;
pub mod world;
