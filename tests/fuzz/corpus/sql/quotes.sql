-- a ; comment
UPDATE a SET b = 'x''; COMMIT', c = E'\\'', d = $t$ BEGIN; $t$, "e;f" = U&'\0061'; /* nested /* ; */ */ DELETE FROM g WHERE h = 1;
DO $$ BEGIN PERFORM 1; END $$;
VACUUM;
