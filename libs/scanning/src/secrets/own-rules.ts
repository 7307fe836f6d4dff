/** Formats that the preset does not know, each as its issuer documents it. All are bounded: none takes longer than its text is long. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  'age/SECRET_KEY': /\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\b/g,
  'azure/STORAGE_ACCOUNT_KEY': /\bAccountKey=[A-Za-z0-9+/]{86}==/g,
  'digitalocean/TOKEN': /\bdo[opr]_v1_[a-f0-9]{64}\b/g,
  'google/API_KEY': /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g,
  // RFC 5915, of P-256 and P-384: the preset knows none that is shorter than 256 bytes.
  'privatekey/EC': /-----BEGIN EC PRIVATE KEY-----(?:\\n|\s){1,4}M(?:HcCAQEE|IGkAgEBBD)[A-Za-z0-9+/]{40}/g,
  // RFC 8410: too short for the preset, which begins at 100 characters of base64.
  'privatekey/Ed25519': /-----BEGIN PRIVATE KEY-----(?:\\n|\s){1,4}MC4CAQAwBQYDK2Vw[A-Za-z0-9+/]{48}/g,
  'privatekey/PGP': /-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\r?\n[!-~ ]{0,120}){3}/g,
  'pypi/UPLOAD_TOKEN': /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,400}/g,
  'rubygems/API_KEY': /\brubygems_[a-f0-9]{48}\b/g,
};

interface Source {
  readonly content: string;
}

interface Reports {
  report(found: { message: { message: string; messageId: string }; range: readonly [number, number] }): void;
}

/** What they are, for a version of them. */
export const OWN_FORMATS: readonly (readonly [string, string])[] = Object.entries(FORMATS).map(([id, { source }]) => [id, source]);

/** In the form that secretlint's core takes rules in. */
export const OWN_RULES = Object.entries(FORMATS).map(([id, format]) => ({
  messages: {},
  meta: { id, type: 'scanner' as const, recommended: true, supportedContentTypes: ['text' as const] },
  create: (context: Reports) => ({
    file({ content }: Source): void {
      for (const { index, 0: text } of content.matchAll(format)) {
        context.report({ message: { message: id, messageId: '' }, range: [index, index + text.length] });
      }
    },
  }),
}));
