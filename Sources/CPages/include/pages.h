#pragma once

#include <stddef.h>

// A page of docs/ that is part of the program.
struct lamina_page {
    const char *name;
    const unsigned char *text;
    size_t size;
};

size_t lamina_page_count(void);
struct lamina_page lamina_page_at(size_t index);
