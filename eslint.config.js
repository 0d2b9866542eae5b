import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Each vendor package has one door; everything else reaches it through that file. */
const vendorDoors = {
  express: ['src/api/**'],
  'http-proxy': ['src/proxy/forward.ts'],
  dockerode: ['src/engine/**'],
  consul: ['discovery/consul.ts', 'discovery/consul/**'],
  winston: ['src/common/logger.ts'],
  'node-cron': ['src/manager/maintenance.ts'],
  '@peculiar/x509': ['src/certificates/issue.ts'],
  yaml: ['src/authorization/parse-rules.ts'],
};

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.cache', 'coverage', '.dependency-cruiser.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='any'] CallExpression[callee.property.name='timeout']",
          message: 'In Node 20 it never comes once garbage was collected: use Deadline.',
        },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['src/**', 'discovery/**'],
    rules: { 'no-restricted-imports': ['error', { paths: Object.keys(vendorDoors).map((name) => ({ name })) }] },
  },
  ...Object.entries(vendorDoors).map(([name, files]) => ({
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: Object.keys(vendorDoors).flatMap((other) => (other === name ? [] : [{ name: other }])) },
      ],
    },
  })),
  // winston's types declare its Console transport beside, not below, the class that its options ask for.
  { files: ['src/common/logger.ts'], rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' } },
  { files: ['src/common/lifecycle.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  { files: ['test/support/**', 'bench/**', 'test/e2e/**'], rules: { 'no-console': 'off' } },
  { files: ['eslint.config.js'], ...tseslint.configs.disableTypeChecked },
);
