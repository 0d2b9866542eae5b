FROM busybox AS base
ARG VERSION=none
RUN mkdir -p /srv && echo "version $VERSION" > /srv/version

FROM base AS test
RUN false

FROM base AS release
ARG GREETING
COPY index.html /srv/index.html
ENV GREETING=$GREETING
HEALTHCHECK --interval=500ms --timeout=5s --retries=60 CMD wget -q -O /dev/null http://localhost:8000/version
EXPOSE 8000
CMD ["sh", "-c", "echo $GREETING; cat /srv/version; exec httpd -f -p 8000 -h /srv"]
