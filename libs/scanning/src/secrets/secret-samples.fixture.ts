import { createHash, generateKeyPairSync } from 'node:crypto';

const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const HEX = '0123456789abcdef';
const LETTERS = BASE62.slice(0, 52);
const DIGITS = BASE62.slice(52);

/** Characters that look random and are the same in every run. */
function run(length: number, alphabet = BASE62, seed = 'sample'): string {
  const bytes = Array.from({ length: Math.ceil(length / 32) }, (_, at) => createHash('sha256').update(`${seed} ${at} ${length}`).digest());
  return [...Buffer.concat(bytes).subarray(0, length)].map(byte => alphabet[byte % alphabet.length]).join('');
}

const pem = (type: 'rsa' | 'pkcs8' | 'ec' | 'ed25519'): string => {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (type === 'ec')
    return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: type === 'rsa' ? 'pkcs1' : 'pkcs8', format: 'pem' }).toString();
};

const openSsh = (): string => {
  const dashes = '-'.repeat(5);
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    createHash('sha512').update('a').digest(),
    createHash('sha512').update('b').digest(),
  ]);
  return `${dashes}BEGIN OPENSSH PRIVATE KEY${dashes}\n${body.toString('base64')}\n${dashes}END OPENSSH PRIVATE KEY${dashes}\n`;
};

const pgp = (): string => {
  const dashes = '-'.repeat(5);
  return `${dashes}BEGIN PGP PRIVATE KEY BLOCK${dashes}\n\n${[1, 2, 3].map(at => run(64, BASE62, `${at}`)).join('\n')}\n${dashes}END PGP PRIVATE KEY BLOCK${dashes}\n`;
};

export interface SecretSample {
  readonly rule: string;
  /** What lies in the file; `secret` is the part that nothing may tell. */
  readonly text: string;
  readonly secret: string;
  readonly file?: string;
}

const sample = (
  rule: string,
  secret: string,
  around: (secret: string) => string = text => `token: ${text}\n`,
  file?: string,
): SecretSample => ({
  rule,
  secret,
  text: around(secret),
  ...(file !== undefined && { file }),
});

/** One or more for every rule that is on, each in the form its issuer documents, and none of them anybody's. Put together as they are asked for. */
export function secretSamples(): SecretSample[] {
  return [...ofTheFirst(), ...ofTheRest()];
}

const of = (...parts: string[]): string => parts.join('');

function ofTheFirst(): SecretSample[] {
  const gcp = pem('pkcs8');
  return [
    sample('aws/AWSSecretAccessKey', run(40), key => `aws_secret_access_key = ${key}\n`),
    sample('aws/AWSSecretAccessKey', run(40, BASE62, 'b'), key => `export AWS_SECRET_ACCESS_KEY="${key}"\n`),
    sample('gcp/PrivateKeyJSON', gcp, key => JSON.stringify({ private_key_id: 'a', private_key: key }), 'account.json'),
    sample('privatekey/PrivateKey', pem('rsa'), text => text),
    sample('privatekey/PrivateKey', pem('pkcs8'), text => text),
    sample('privatekey/EC', pem('ec'), text => text),
    sample('privatekey/PrivateKey', openSsh(), text => text),
    sample('privatekey/Ed25519', pem('ed25519'), text => text),
    sample('privatekey/Ed25519', JSON.stringify(pem('ed25519')), text => `{"key": ${text}}`),
    sample('privatekey/PGP', pgp(), text => text),
    sample('npm/PackageJSON_xOauthToken', run(40, HEX), key => `"https://${key}:x-oauth-basic@github.com/a/b.git"`, 'package.json'),
    sample('npm/Npmrc_authToken', run(36, HEX), key => `//npm.internal/:_authToken=${key}\n`, '.npmrc'),
    sample('npm/NPM_ACCESS_TOKEN', of('npm', '_', run(36))),
    sample('basicauth/BasicAuth', run(20), key => `curl https://deployer:${key}@files.internal.net/x\n`),
    sample('slack/SLACK_TOKEN', of('xo', 'xb-', run(12, DIGITS), '-', run(12, DIGITS), '-', run(24))),
    sample('slack/SLACK_TOKEN', of('xo', 'xp-', run(11, DIGITS), '-', run(24))),
    sample('slack/IncomingWebhook', of('https://hooks.', 'slack.com/services/T', run(9), '/B', run(9), '/', run(24))),
    sample('sendgrid/SENDGRID_KEY', of('S', 'G.', run(22), '.', run(43))),
    sample('shopify/SHOPIFY_KEY', of('shp', 'at_', run(32, HEX))),
    ...['sk_live', 'sk_test', 'rk_live', 'rk_test'].map(kind => {
      const [key = '', mode = ''] = kind.split('_');
      return sample(`stripe/STRIPE_${key === 'sk' ? 'SECRET' : 'RESTRICTED'}_KEY_${mode.toUpperCase()}`, of(key, '_', mode, '_', run(24)));
    }),
    ...['p', 'o', 'u', 's', 'r'].map(kind => sample('github/GITHUB_TOKEN', of('gh', kind, '_', run(36)))),
    sample('github/GITHUB_TOKEN', of('github', '_pat_', run(82))),
  ];
}

function ofTheRest(): SecretSample[] {
  return [
    sample('gitlab/GITLAB_PERSONAL_ACCESS_TOKEN', of('gl', 'pat-', run(20))),
    sample('grafana/GRAFANA_CLOUD_API_TOKEN', of('gl', 'c_', run(60))),
    sample('grafana/GRAFANA_SERVICE_ACCOUNT_TOKEN', of('gl', 'sa_', run(32), '_', run(8, HEX))),
    sample('openai/OPENAI_TOKEN', of('s', 'k-', run(20), 'T3Blbk', 'FJ', run(20))),
    sample('openai/OPENAI_TOKEN', of('s', 'k-proj-', run(74), 'T3Blbk', 'FJ', run(74))),
    sample('anthropic/ANTHROPIC_API_KEY', of('s', 'k-ant-', 'api03-', run(93), 'AA')),
    sample('groq/GROQ_API_KEY', of('gs', 'k_', run(52))),
    sample('huggingface/HUGGINGFACE_USER_ACCESS_TOKEN', of('h', 'f_', run(34, LETTERS))),
    sample('linear/LINEAR_API_TOKEN', of('lin', '_api_', run(40))),
    sample('notion/NOTION_INTEGRATION_TOKEN', of('nt', 'n_', run(11, DIGITS), run(35))),
    sample('1password/OPS_TOKEN', of('op', 's_', Buffer.from(JSON.stringify({ a: run(299) })).toString('base64'))),
    sample('database-connection-string/MongoDBConnection', run(16), key => `mongodb://reader:${key}@db.internal:27017/app`),
    sample('database-connection-string/MySQLConnection', run(16), key => `mysql://reader:${key}@db.internal:3306/app`),
    sample('database-connection-string/PostgreSQLConnection', run(16), key => `postgresql://reader:${key}@db.internal:5432/app`),
    sample('hashicorp-vault/HASHICORP_VAULT_SERVICE_TOKEN', of('hv', 's.', run(95))),
    sample('hashicorp-vault/HASHICORP_VAULT_BATCH_TOKEN', of('hv', 'b.', run(160))),
    sample('hashicorp-vault/HASHICORP_VAULT_RECOVERY_TOKEN', of('hv', 'r.', run(95))),
    ...Object.entries({
      p: 'PERSONAL_ACCESS_TOKEN',
      i: 'INTEGRATION_TOKEN',
      a: 'APP_ACCESS_TOKEN',
      r: 'APP_REFRESH_TOKEN',
      k: 'AI_GATEWAY_API_KEY',
    }).map(([kind, name]) => sample(`vercel/VERCEL_${name}`, of('vc', kind, '_', run(24)))),
    sample('databricks/DATABRICKS_PERSONAL_ACCESS_TOKEN', of('dap', 'i', run(32, HEX))),
    sample('docker/DOCKER_PERSONAL_ACCESS_TOKEN', of('dckr', '_pat_', run(27))),
    sample('figma/FIGMA_PERSONAL_ACCESS_TOKEN', of('fig', 'd_', run(40))),
    ...Object.entries({ cfk: 'GLOBAL_API_KEY', cfut: 'USER_API_TOKEN', cfat: 'ACCOUNT_API_TOKEN' }).map(([kind, name]) =>
      sample(`cloudflare/CLOUDFLARE_${name}`, of(kind, '_', run(40), run(8, HEX))),
    ),
    ...Object.entries({ api: 'API', auth: 'AUTH', client: 'CLIENT', scim: 'SCIM', webhook: 'WEBHOOK' }).map(([kind, name]) =>
      sample(`tailscale/TAILSCALE_${name}_KEY`, of('ts', 'key-', kind, '-', run(17), '-', run(32))),
    ),
    sample('age/SECRET_KEY', of('AGE-SECRET', '-KEY-1', run(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'))),
    sample('azure/STORAGE_ACCOUNT_KEY', of(run(86), '=='), key => `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${key};`),
    sample('digitalocean/TOKEN', of('dop', '_v1_', run(64, HEX))),
    sample('google/API_KEY', of('AI', 'za', run(35))),
    sample('pypi/UPLOAD_TOKEN', of('py', 'pi-', 'AgEIcHlwaS5vcmc', run(120))),
    sample('rubygems/API_KEY', of('ruby', 'gems_', run(48, HEX))),
  ];
}

/** What looks like a secret to a careless rule and is none. */
export function harmlessTexts(): readonly { readonly text: string; readonly file?: string }[] {
  const dashes = '-'.repeat(5);
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return [
    { text: 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n' },
    { text: 'AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}\nGITHUB_TOKEN=${{ secrets.GITHUB_TOKEN }}\n' },
    { text: `sha256:${createHash('sha256').update('x').digest('hex')}\n${createHash('sha1').update('x').digest('hex')}\n` },
    { text: `integrity: sha512-${createHash('sha512').update('x').digest('base64')}\n`, file: 'package-lock.json' },
    { text: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    { text: `${dashes}BEGIN PRIVATE KEY${dashes}\n...\n${dashes}END PRIVATE KEY${dashes}\n` },
    { text: `${dashes}BEGIN CERTIFICATE${dashes}\n${run(64)}\n${run(64)}\n${dashes}END CERTIFICATE${dashes}\n` },
    { text: 'postgresql://user:password@localhost:5432/app\npostgres://app:${DB_PASSWORD}@db/app\nmongodb://localhost/app\n' },
    { text: 'https://user:password@example.com/ and https://{username}:{password}@files.example.org/\n' },
    { text: '//registry.internal/:_authToken=${NPM_TOKEN}\n', file: '.npmrc' },
    { text: 'a token begins with ghp_, glpat-, xoxb-, sk_live_ or npm_ and goes on with letters\n' },
    { text: 'ghp_short sk_live_12 hf_no npm_install_the_package glpat-x AIzaNotLongEnough dop_v1_zz\n' },
    { text: JSON.stringify({ private_key_id: 'a', private_key: 'see the vault' }), file: 'account.json' },
    { text: JSON.stringify({ packId: 'acme.hello', keyId: run(40, HEX), uuid: '0b0e7a1c-1f1f-4c56-9d0b-3a3a6f2f4b11' }) },
    { text: 'eyJhbGciOiJub25lIn0.e30.\n' },
    { text: 'version: 1.0.0\nimage: registry.internal/app@sha256:' + run(64, HEX) },
    { text: 'slack: https://hooks.slack.com/services/\nstripe: https://dashboard.stripe.com/test/apikeys\n' },
    { text: 'data:image/png;base64,' + run(4000) },
    { text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI' + run(43) + ' me@host\nssh-rsa AAAAB3NzaC1yc2E' + run(300) + '\n' },
  ];
}
