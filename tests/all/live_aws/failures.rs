//! What is known after a failure: with faults injected between the door and moto, and against servers that are no AWS.
