#include "pages.h"

// #embed is of C23, and an extension of Clang's in what the package is compiled as.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page_0[] = {
#embed "../../docs/architecture.md"
};
static const unsigned char page_1[] = {
#embed "../../docs/building.md"
};
static const unsigned char page_2[] = {
#embed "../../docs/checks.md"
};
static const unsigned char page_3[] = {
#embed "../../docs/chroot.md"
};
static const unsigned char page_4[] = {
#embed "../../docs/comparison.md"
};
static const unsigned char page_5[] = {
#embed "../../docs/compatibility.md"
};
static const unsigned char page_6[] = {
#embed "../../docs/configuration.md"
};
static const unsigned char page_7[] = {
#embed "../../docs/contexts.md"
};
static const unsigned char page_8[] = {
#embed "../../docs/dockerfile-syntax.md"
};
static const unsigned char page_9[] = {
#embed "../../docs/environment.md"
};
static const unsigned char page_10[] = {
#embed "../../docs/explain.md"
};
static const unsigned char page_11[] = {
#embed "../../docs/glossary.md"
};
static const unsigned char page_12[] = {
#embed "../../docs/housekeeping.md"
};
static const unsigned char page_13[] = {
#embed "../../docs/inspecting.md"
};
static const unsigned char page_14[] = {
#embed "../../docs/json.md"
};
static const unsigned char page_15[] = {
#embed "../../docs/limits.md"
};
static const unsigned char page_16[] = {
#embed "../../docs/network.md"
};
static const unsigned char page_17[] = {
#embed "../../docs/parse.md"
};
static const unsigned char page_18[] = {
#embed "../../docs/registries.md"
};
static const unsigned char page_19[] = {
#embed "../../docs/rootless.md"
};
static const unsigned char page_20[] = {
#embed "../../docs/run.md"
};
static const unsigned char page_21[] = {
#embed "../../docs/sandbox.md"
};
static const unsigned char page_22[] = {
#embed "../../docs/scale.md"
};
static const unsigned char page_23[] = {
#embed "../../docs/shipping.md"
};
static const unsigned char page_24[] = {
#embed "../../docs/status.md"
};
static const unsigned char page_25[] = {
#embed "../../docs/rules/AddInsteadOfCopy.md"
};
static const unsigned char page_26[] = {
#embed "../../docs/rules/AptCacheLeft.md"
};
static const unsigned char page_27[] = {
#embed "../../docs/rules/CopyBeforeInstall.md"
};
static const unsigned char page_28[] = {
#embed "../../docs/rules/DeletedLater.md"
};
static const unsigned char page_29[] = {
#embed "../../docs/rules/LatestTag.md"
};
static const unsigned char page_30[] = {
#embed "../../docs/rules/SecretInContext.md"
};
static const unsigned char page_31[] = {
#embed "../../docs/rules/UnpinnedBase.md"
};
static const unsigned char page_32[] = {
#embed "../../docs/ci/README.md"
};
static const unsigned char page_33[] = {
#embed "../../docs/ci/github-actions.md"
};
static const unsigned char page_34[] = {
#embed "../../docs/ci/gitlab.md"
};
static const unsigned char page_35[] = {
#embed "../../docs/ci/jenkins.md"
};
static const unsigned char page_36[] = {
#embed "../../docs/ci/kaniko.md"
};
static const unsigned char page_37[] = {
#embed "../../docs/ci/kubernetes.md"
};
static const unsigned char page_38[] = {
#embed "../../docs/ci/migrating.md"
};
static const unsigned char page_39[] = {
#embed "../../docs/ci/scripts.md"
};
static const unsigned char page_40[] = {
#embed "../../docs/installing.md"
};
static const unsigned char page_41[] = {
#embed "../../CHANGELOG.md"
};
static const unsigned char page_42[] = {
#embed "../../docs/attestations.md"
};
static const unsigned char page_43[] = {
#embed "../../docs/indexes.md"
};
static const unsigned char page_44[] = {
#embed "../../docs/outputs.md"
};
static const unsigned char page_45[] = {
#embed "../../docs/platforms.md"
};
static const unsigned char page_46[] = {
#embed "../../docs/reproducible.md"
};
static const unsigned char page_47[] = {
#embed "../../docs/transports.md"
};
static const unsigned char page_48[] = {
#embed "../../docs/editing.md"
};
static const unsigned char page_49[] = {
#embed "../../docs/containers.md"
};

static const struct lamina_page pages[] = {
    {"architecture", page_0, sizeof page_0},
    {"building", page_1, sizeof page_1},
    {"checks", page_2, sizeof page_2},
    {"chroot", page_3, sizeof page_3},
    {"comparison", page_4, sizeof page_4},
    {"compatibility", page_5, sizeof page_5},
    {"configuration", page_6, sizeof page_6},
    {"contexts", page_7, sizeof page_7},
    {"dockerfile-syntax", page_8, sizeof page_8},
    {"environment", page_9, sizeof page_9},
    {"explain", page_10, sizeof page_10},
    {"glossary", page_11, sizeof page_11},
    {"housekeeping", page_12, sizeof page_12},
    {"inspecting", page_13, sizeof page_13},
    {"json", page_14, sizeof page_14},
    {"limits", page_15, sizeof page_15},
    {"network", page_16, sizeof page_16},
    {"parse", page_17, sizeof page_17},
    {"registries", page_18, sizeof page_18},
    {"rootless", page_19, sizeof page_19},
    {"run", page_20, sizeof page_20},
    {"sandbox", page_21, sizeof page_21},
    {"scale", page_22, sizeof page_22},
    {"shipping", page_23, sizeof page_23},
    {"status", page_24, sizeof page_24},
    {"AddInsteadOfCopy", page_25, sizeof page_25},
    {"AptCacheLeft", page_26, sizeof page_26},
    {"CopyBeforeInstall", page_27, sizeof page_27},
    {"DeletedLater", page_28, sizeof page_28},
    {"LatestTag", page_29, sizeof page_29},
    {"SecretInContext", page_30, sizeof page_30},
    {"UnpinnedBase", page_31, sizeof page_31},
    {"ci", page_32, sizeof page_32},
    {"ci/github-actions", page_33, sizeof page_33},
    {"ci/gitlab", page_34, sizeof page_34},
    {"ci/jenkins", page_35, sizeof page_35},
    {"ci/kaniko", page_36, sizeof page_36},
    {"ci/kubernetes", page_37, sizeof page_37},
    {"ci/migrating", page_38, sizeof page_38},
    {"ci/scripts", page_39, sizeof page_39},
    {"installing", page_40, sizeof page_40},
    {"changes", page_41, sizeof page_41},
    {"attestations", page_42, sizeof page_42},
    {"indexes", page_43, sizeof page_43},
    {"outputs", page_44, sizeof page_44},
    {"platforms", page_45, sizeof page_45},
    {"reproducible", page_46, sizeof page_46},
    {"transports", page_47, sizeof page_47},
    {"editing", page_48, sizeof page_48},
    {"containers", page_49, sizeof page_49},
};

size_t lamina_page_count(void) { return sizeof pages / sizeof pages[0]; }

struct lamina_page lamina_page_at(size_t index) { return pages[index]; }
