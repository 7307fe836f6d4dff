import type { ASN1Obj } from '@sigstore/core';
import type { CERTIFICATE_EXTENSIONS } from '@packs/domain';
import { HeldCertificate } from './held-certificate';
import { invalid } from './signature-fault';
import { hashOf } from './signed-digest';

/** Who a signer is by a certificate: what an authority saw in a token of `issuer`. */
export interface CertificateIdentity {
  readonly issuer: string;
  readonly identity: string;
  /** By the name of the extension (sigstore fulcio, docs/oid-info.md). */
  readonly extensions: Readonly<Record<string, string>>;
}

export interface SigningCertificate {
  readonly certificate: HeldCertificate;
  readonly who: CertificateIdentity;
}

const OID_SAN = '2.5.29.17';
const OID_ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const OID_ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
/** basicConstraints, keyUsage, extKeyUsage, subjectAltName: whatever else is critical is not understood (RFC 5280 §4.2). */
const UNDERSTOOD: readonly string[] = ['2.5.29.19', '2.5.29.15', '2.5.29.37', OID_SAN];
/** rfc822Name and uniformResourceIdentifier of a GeneralName (RFC 5280 §4.2.1.6). */
const MAIL_OR_URI: readonly number[] = [0x81, 0x86];
const DER_UTF8 = 0x0c;
const PLAIN = /^[!-~]{1,2048}$/;
const FULCIO = '1.3.6.1.4.1.57264.1.';
const EXTENSION_NAMES: Readonly<Record<string, (typeof CERTIFICATE_EXTENSIONS)[number]>> = {
  '9': 'buildSignerURI',
  '10': 'buildSignerDigest',
  '11': 'runnerEnvironment',
  '12': 'sourceRepositoryURI',
  '13': 'sourceRepositoryDigest',
  '14': 'sourceRepositoryRef',
  '15': 'sourceRepositoryIdentifier',
  '16': 'sourceRepositoryOwnerURI',
  '17': 'sourceRepositoryOwnerIdentifier',
  '18': 'buildConfigURI',
  '19': 'buildConfigDigest',
  '20': 'buildTrigger',
  '21': 'runInvocationURI',
  '22': 'sourceRepositoryVisibilityAtSigning',
};

/**
 * Reads the one certificate of a signer and who it names. Whether anybody trusts it is not asked here.
 * @throws SignatureFault
 */
export function readSigningCertificate(der: Buffer): SigningCertificate {
  let certificate: HeldCertificate;
  try {
    certificate = HeldCertificate.of(der);
  } catch {
    throw malformed('the certificate is not the DER form of one certificate');
  }
  if (certificate.native.ca || isCertificateAuthority(certificate)) {
    throw invalid('a certificate of an authority stands where a signer belongs', 'certificate-is-ca');
  }
  requireUsableKey(certificate);
  const extensions = extensionsOf(certificate);
  if (!certificate.native.keyUsage?.includes(CODE_SIGNING)) throw malformed('the certificate is not one for signing code');
  return {
    certificate,
    who: { issuer: issuerOf(extensions), identity: alternativeName(extensions.get(OID_SAN)), extensions: named(extensions) },
  };
}

function requireUsableKey(certificate: HeldCertificate): void {
  try {
    const isDated = !Number.isNaN(certificate.notBefore.getTime()) && !Number.isNaN(certificate.notAfter.getTime());
    if (isDated && hashOf(certificate.key) !== undefined) return;
  } catch {
    // One answer for keys and dates that are not readable and for keys that are not taken.
  }
  throw malformed('the certificate has no key of a supported kind, or no validity');
}

function isCertificateAuthority(certificate: HeldCertificate): boolean {
  try {
    return certificate.isCA || (certificate.extKeyUsage?.keyCertSign ?? false);
  } catch {
    throw malformed('the certificate has an extension that is not readable');
  }
}

/** The value of each extension, within its OCTET STRING. */
function extensionsOf(certificate: HeldCertificate): ReadonlyMap<string, ASN1Obj> {
  const found = new Map<string, ASN1Obj>();
  try {
    for (const { subs } of certificate.extensions) {
      const [id, ...rest] = subs;
      const value = rest.at(-1);
      if (!id || !value) throw malformed('an extension of the certificate has no value');
      const oid = id.toOID();
      if (found.has(oid)) throw malformed('the certificate has an extension twice');
      if (rest.length > 1 && !UNDERSTOOD.includes(oid)) throw malformed('the certificate has a critical extension that is not known');
      found.set(oid, value);
    }
  } catch {
    throw malformed('the extensions of the certificate are not readable, not known or there twice');
  }
  return found;
}

/** Exactly one name: with two, one reader could take the first and another the second. */
function alternativeName(extension: ASN1Obj | undefined): string {
  const names = extension?.subs[0]?.subs ?? [];
  const [name] = names;
  if (!name || names.length !== 1 || !MAIL_OR_URI.includes(name.tag.toDER())) {
    throw malformed('the certificate does not name exactly one mail address or URI');
  }
  return plain(name.value, 'the identity');
}

function issuerOf(extensions: ReadonlyMap<string, ASN1Obj>): string {
  const old = extensions.get(OID_ISSUER_V1);
  const current = extensions.get(OID_ISSUER_V2);
  const issuers = [...(current ? [utf8(current)] : []), ...(old ? [plain(old.value, 'the issuer')] : [])];
  const [issuer] = issuers;
  if (issuer === undefined) throw malformed('the certificate names no issuer of the identity');
  if (issuers.some(other => other !== issuer)) throw malformed('the certificate names two issuers of the identity');
  return issuer;
}

function named(extensions: ReadonlyMap<string, ASN1Obj>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [oid, value] of extensions) {
    const name = oid.startsWith(FULCIO) ? EXTENSION_NAMES[oid.slice(FULCIO.length)] : undefined;
    if (name !== undefined) found[name] = utf8(value);
  }
  return found;
}

function utf8(extension: ASN1Obj): string {
  const [value, ...more] = extension.subs;
  if (!value || more.length > 0 || value.tag.toDER() !== DER_UTF8)
    throw malformed('an extension of the certificate is not one UTF-8 string');
  return plain(value.value, 'an extension');
}

/** Names are compared by their bytes, so only such are taken that have one way to be written. */
function plain(bytes: Buffer, what: string): string {
  const text = bytes.toString('latin1');
  if (!PLAIN.test(text)) throw malformed(`${what} in the certificate is not plain ASCII`);
  return text;
}

function malformed(message: string) {
  return invalid(message, 'certificate-malformed');
}
