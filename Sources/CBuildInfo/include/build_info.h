#pragma once

// The commit that the program was built from, as scripts/stamp has written it; empty in a program without a stamp.
const char *lamina_build_commit(void);
