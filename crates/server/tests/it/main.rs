//! What spans houses: the contract, who may do what, adoption, the program as a process, the tree.

mod adoption;
mod contract;
mod guards;
mod house;
mod operators;
mod program;
mod server;
mod storm;
mod tidy;
