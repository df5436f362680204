# The tree is a checkout, not a package: Node.js strips types everywhere but under node_modules.
FROM node:24.21.0-bookworm-slim
WORKDIR /opt/tcptrail
ENV NODE_ENV=production

COPY package.json package-lock.json .npmrc ./
COPY schemas/package.json schemas/
COPY config/package.json config/
COPY spool/package.json spool/
COPY kafka/package.json kafka/
COPY consumer/package.json consumer/
# Optional dependencies are Node.js itself, which this image has.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --workspace @tcptrail/consumer

COPY schemas schemas
COPY config config
COPY spool spool
COPY kafka kafka
COPY consumer consumer

# The image's user `node`. It owns nothing here: all it keeps is in Kafka and ClickHouse.
USER 1000:1000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --start-interval=2s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9481/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "consumer/src/main.ts"]
