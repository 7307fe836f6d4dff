// lint as: libs/persistence/src/lasting-tenant.ts
export const lasting = (tenant: string) => [
  `set app.tenant = '${tenant}'`, // expect: packs/session-setting
  "SET SESSION app.tenant TO 'acme'", // expect: packs/session-setting
  `alter role packs_gateway set app.tenant to '${tenant}'`, // expect: packs/session-setting
  `select set_config('app.tenant', '${tenant}', false)`, // expect: packs/session-setting
  "select set_config('app.tenant', $1, $2)", // expect: packs/session-setting
  'set role packs_owner', // expect: packs/session-setting
];

export const forOneTransaction = (tenant: string) => [
  `select set_config('app.tenant', '${tenant}', true)`,
  'select set_config($1, $2, true)',
];
