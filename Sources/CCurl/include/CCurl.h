// libcurl, loaded when it is first used: with the libraries that it needs it takes half the time in which a program
// starts, and most commands use no network.
#pragma once
#include <curl/curl.h>
#include <stddef.h>

// Loads the library and its functions. Returns NULL, or the reason why that is impossible, which stays valid.
// Every other function here may be called only after this one has returned NULL. Not for several threads at once.
const char *ccurl_load(void);

// The library's functions. See libcurl(3).
CURLcode ccurl_global_init(long flags);
const char *ccurl_easy_strerror(CURLcode code);
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *easy);
CURLcode ccurl_easy_pause(CURL *easy, int mask);
struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);
CURLM *ccurl_multi_init(void);
CURLMcode ccurl_multi_cleanup(CURLM *multi);
CURLMcode ccurl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_remove_handle(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_perform(CURLM *multi, int *running);
CURLMcode ccurl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int milliseconds, int *ready);
CURLMcode ccurl_multi_wakeup(CURLM *multi);
CURLMsg *ccurl_multi_info_read(CURLM *multi, int *left);

// Swift cannot call variadic functions: each of these fixes the type that libcurl reads for one kind of option.
CURLcode ccurl_set_number(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
// libcurl copies the text.
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);
// libcurl copies the bytes.
CURLcode ccurl_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count);
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
// Callbacks for bodies and header lines, sent or received, have one signature.
CURLcode ccurl_set_data_callback(CURL *easy, CURLoption option, curl_write_callback value);
CURLcode ccurl_set_seek_callback(CURL *easy, curl_seek_callback value);
CURLcode ccurl_set_request_callback(CURL *easy, curl_prereq_callback value);
CURLcode ccurl_get_number(CURL *easy, CURLINFO info, long *value);
CURLMcode ccurl_multi_set_number(CURLM *multi, CURLMoption option, long value);
// Makes libcurl open its sockets with SOCK_CLOEXEC, which programs that are started do not inherit.
CURLcode ccurl_close_on_exec(CURL *easy);

// The member of a union that a finished transfer's message uses.
static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

// A cast, which Swift does not import as a number.
static const long ccurl_auth_basic = (long)CURLAUTH_BASIC;
