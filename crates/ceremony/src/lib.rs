//! Says what a ceremony plan means and judges what happened.
#![no_std]

extern crate alloc;

pub mod hex;
pub mod key;
pub mod name;
pub mod rehearsal;
pub mod time;
pub mod token;
pub mod x509;
