# The base of all our applications: it runs `app/main.sh`, which only the child has.
#
# What follows ONBUILD is kept in the image and runs at the start of the child's build, before the child's own lines.
FROM lamina/base
WORKDIR /application
ENV APP_HOME=/application
ONBUILD ARG RELEASE=none
ONBUILD COPY app/ ./
ONBUILD RUN chmod +x main.sh && echo "$RELEASE" > release && ./main.sh self-test > self-test.log
ONBUILD LABEL org.example.kind=application
ENTRYPOINT ["./main.sh"]
