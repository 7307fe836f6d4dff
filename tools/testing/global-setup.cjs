require('./typescript.cjs');

module.exports = async () => {
  const { startTestPostgres } = require('./test-postgres.ts');
  globalThis.testPostgres = await startTestPostgres();
};
