# The image of Shoal: `docker run IMAGE manage ...` and `docker run IMAGE join ...`.
FROM node:20-slim AS build
WORKDIR /shoal
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY discovery discovery
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /shoal
COPY --from=build /shoal/package.json ./
COPY --from=build /shoal/node_modules node_modules
COPY --from=build /shoal/dist dist
EXPOSE 2375
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["help"]
