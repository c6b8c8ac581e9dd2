//! Secrets and access: what is planted comes out nowhere, in no form; files are for their owner alone and reached through no link; a world in which
//! every string is hostile is shown escaped; nothing goes out in plain text that was not asked to.

mod canary;
mod doors;
mod files;
mod hostile;
mod life;
mod live;
mod mistakes;
mod tls;
