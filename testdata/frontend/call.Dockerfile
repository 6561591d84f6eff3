# syntax=docker/dockerfile:1
# VERSION The version to package
ARG VERSION=1.2
ARG FULL=${VERSION}-r0
ARG UNUSED=x

# tools What the build needs
FROM scratch AS tools
ARG JOBS=4
RUN --mount=type=secret,id=token --mount=type=ssh make -j$JOBS

# lib The library, without programs
FROM --platform=$BUILDPLATFORM scratch AS lib
ARG TARGETARCH
RUN --mount=type=secret,target=/run/secrets/token,required=true true

FROM alpine:$FULL AS pkg

# app The whole application
FROM lib AS app
# TLS Set to 1 for encryption
ARG TLS
ARG VERSION
ARG NAME=app-$VERSION
COPY --from=tools /x /x
RUN --mount=type=ssh,id=git,required=true true
