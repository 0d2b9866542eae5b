/** Imports run one way (src/README.md): the list says who may be imported by whom. */
const mayImport = {
  '^src/common': ['^src/common'],
  '^src/certificates': ['^src/(common|certificates)'],
  '^src/authorization': ['^src/(common|docker|authorization)'],
  '^src/docker': ['^src/(common|docker)'],
  '^src/scheduler': ['^src/(common|docker|scheduler)'],
  '^src/engine': ['^src/(common|docker|engine)'],
  '^src/proxy': ['^src/(common|proxy)'],
  '^discovery': ['^(discovery|src/common)'],
  '^src/cluster': ['^src/(common|docker|scheduler|engine|cluster)', '^discovery/(backend|entry|state-store)\\.ts'],
  '^src/api': ['^src/(authorization|common|docker|scheduler|engine|cluster|proxy|api)'],
  '^src/agent': ['^(src/(common|engine|proxy|agent)|discovery)'],
  '^src/manager': ['^(src/(authorization|common|docker|scheduler|engine|cluster|proxy|api|manager)|discovery)'],
  '^src/cli': ['^(src|discovery)'],
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.test\\.ts$', '^test/support', '^src/main.ts'] },
      to: {},
    },
    {
      name: 'no-dev-dependencies-in-product',
      severity: 'error',
      from: { path: '^(src|discovery)' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(src|discovery)' },
      to: { path: '^(test|bench)' },
    },
    ...Object.entries(mayImport).map(([from, allowed]) => ({
      name: `direction of ${from}`,
      severity: 'error',
      from: { path: `${from}/` },
      to: { path: '^(src|discovery)/', pathNot: allowed.map((path) => `${path}`) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
