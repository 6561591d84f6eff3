#include "CCurl.h"
#include <dlfcn.h>
#include <sys/socket.h>

// The library's name with the version of its interface, which is that of the header since 2006.
static const char library_name[] = "libcurl.so.4";

// The functions that are used, by the names of the header without `curl_`.
#define FUNCTIONS(X)                                                                                                   \
    X(global_init)                                                                                                     \
    X(easy_strerror)                                                                                                   \
    X(easy_init)                                                                                                       \
    X(easy_cleanup)                                                                                                    \
    X(easy_pause)                                                                                                      \
    X(easy_setopt)                                                                                                     \
    X(easy_getinfo)                                                                                                    \
    X(slist_append)                                                                                                    \
    X(slist_free_all)                                                                                                  \
    X(multi_init)                                                                                                      \
    X(multi_cleanup)                                                                                                   \
    X(multi_add_handle)                                                                                                \
    X(multi_remove_handle)                                                                                             \
    X(multi_perform)                                                                                                   \
    X(multi_poll)                                                                                                      \
    X(multi_wakeup)                                                                                                    \
    X(multi_info_read)                                                                                                 \
    X(multi_setopt)

#define MEMBER(name) __typeof__(curl_##name) *name;
static struct {
    FUNCTIONS(MEMBER)
} library;

const char *ccurl_load(void) {
    void *handle = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return dlerror();
#define RESOLVE(name)                                                                                                  \
    if (!(library.name = (__typeof__(curl_##name) *)dlsym(handle, "curl_" #name)))                                    \
        return "libcurl.so.4 has no function curl_" #name;
    FUNCTIONS(RESOLVE)
    return NULL;
}

CURLcode ccurl_global_init(long flags) { return library.global_init(flags); }

const char *ccurl_easy_strerror(CURLcode code) { return library.easy_strerror(code); }

CURL *ccurl_easy_init(void) { return library.easy_init(); }

void ccurl_easy_cleanup(CURL *easy) { library.easy_cleanup(easy); }

CURLcode ccurl_easy_pause(CURL *easy, int mask) { return library.easy_pause(easy, mask); }

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
    return library.slist_append(list, text);
}

void ccurl_slist_free_all(struct curl_slist *list) { library.slist_free_all(list); }

CURLM *ccurl_multi_init(void) { return library.multi_init(); }

CURLMcode ccurl_multi_cleanup(CURLM *multi) { return library.multi_cleanup(multi); }

CURLMcode ccurl_multi_add_handle(CURLM *multi, CURL *easy) { return library.multi_add_handle(multi, easy); }

CURLMcode ccurl_multi_remove_handle(CURLM *multi, CURL *easy) { return library.multi_remove_handle(multi, easy); }

CURLMcode ccurl_multi_perform(CURLM *multi, int *running) { return library.multi_perform(multi, running); }

CURLMcode ccurl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int milliseconds, int *ready) {
    return library.multi_poll(multi, extra, count, milliseconds, ready);
}

CURLMcode ccurl_multi_wakeup(CURLM *multi) { return library.multi_wakeup(multi); }

CURLMsg *ccurl_multi_info_read(CURLM *multi, int *left) { return library.multi_info_read(multi, left); }

CURLcode ccurl_set_number(CURL *easy, CURLoption option, long value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return library.easy_setopt(easy, option, &blob);
}

CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_data_callback(CURL *easy, CURLoption option, curl_write_callback value) {
    return library.easy_setopt(easy, option, value);
}

CURLcode ccurl_set_seek_callback(CURL *easy, curl_seek_callback value) {
    return library.easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}

CURLcode ccurl_set_request_callback(CURL *easy, curl_prereq_callback value) {
    return library.easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

CURLcode ccurl_get_number(CURL *easy, CURLINFO info, long *value) {
    return library.easy_getinfo(easy, info, value);
}

CURLMcode ccurl_multi_set_number(CURLM *multi, CURLMoption option, long value) {
    return library.multi_setopt(multi, option, value);
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)data, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode ccurl_close_on_exec(CURL *easy) {
    return library.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
}
