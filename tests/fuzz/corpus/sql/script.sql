-- Staging needs accounts to log in with, and nobody's real address.
UPDATE auth_user SET email = 'user-' || id || '@staging.invalid';
