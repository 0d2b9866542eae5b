# The image of Shoal: `docker run IMAGE manage ...` and `docker run IMAGE join ...`, neither of which needs root.
FROM node:20-slim AS packages
WORKDIR /shoal
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM packages AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY discovery discovery
RUN npm run build

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /shoal
COPY --from=packages /shoal/package.json ./
COPY --from=packages /shoal/node_modules node_modules
COPY --from=build /shoal/dist dist
USER node
EXPOSE 2375
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "dist/src/main.js", "health"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["help"]
