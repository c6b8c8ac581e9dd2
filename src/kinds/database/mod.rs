//! An RDS instance kept fresh from another one's snapshots.
