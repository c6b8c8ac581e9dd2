//! Where moto lies.
