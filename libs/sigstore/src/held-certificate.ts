import { X509Certificate as NativeCertificate, type KeyObject } from 'node:crypto';
import { ASN1Obj, X509Certificate } from '@sigstore/core';
import { holdDer } from './der-form';

/**
 * A certificate as `@sigstore/verify` reads it, with what the library asks for again and again held, and signatures checked by OpenSSL's own
 * certificate code: a certificate of a trusted root is parsed and checked once in its life.
 */
export class HeldCertificate extends X509Certificate {
  readonly native: NativeCertificate;
  private readonly held = new Map<string, unknown>();
  private readonly signedBy = new WeakMap<HeldCertificate, boolean>();

  private constructor(root: ASN1Obj, native: NativeCertificate) {
    super(root);
    this.native = native;
  }

  /** @throws Error for anything but one certificate in DER, as OpenSSL and the library both read it */
  static of(der: Buffer): HeldCertificate {
    const native = new NativeCertificate(der);
    const copy = Buffer.from(der);
    const certificate = new HeldCertificate(ASN1Obj.parseBuffer(copy), native);
    if (!native.raw.equals(der) || !holdDer(certificate.root, copy)) throw new Error('not the DER form of one certificate');
    return certificate;
  }

  get key(): KeyObject {
    return this.hold('key', () => this.native.publicKey);
  }

  override get publicKey(): Buffer {
    return this.hold('publicKey', () => super.publicKey);
  }

  override get notBefore(): Date {
    return this.hold('notBefore', () => super.notBefore);
  }

  override get notAfter(): Date {
    return this.hold('notAfter', () => super.notAfter);
  }

  override get isCA(): boolean {
    return this.hold('isCA', () => super.isCA);
  }

  override get extBasicConstraints(): X509Certificate['extBasicConstraints'] {
    return this.hold('extBasicConstraints', () => super.extBasicConstraints);
  }

  override get extAuthorityKeyID(): X509Certificate['extAuthorityKeyID'] {
    return this.hold('extAuthorityKeyID', () => super.extAuthorityKeyID);
  }

  override get extSubjectKeyID(): X509Certificate['extSubjectKeyID'] {
    return this.hold('extSubjectKeyID', () => super.extSubjectKeyID);
  }

  override verify(issuer?: X509Certificate): boolean {
    const by = issuer ?? this;
    if (!(by instanceof HeldCertificate)) return super.verify(issuer);
    const known = this.signedBy.get(by);
    if (known !== undefined) return known;
    const verified = this.native.verify(by.key);
    this.signedBy.set(by, verified);
    return verified;
  }

  override equals(other: X509Certificate): boolean {
    return other instanceof HeldCertificate ? this.native.raw.equals(other.native.raw) : super.equals(other);
  }

  /** The library takes an extension out of the copy's list, and changes nothing else of it. */
  override clone(): X509Certificate {
    return new X509Certificate(withOwnExtensions(this.root));
  }

  private hold<T>(name: string, read: () => T): T {
    if (!this.held.has(name)) this.held.set(name, read());
    return this.held.get(name) as T;
  }
}

function withOwnExtensions(certificate: ASN1Obj): ASN1Obj {
  const [tbs, ...signature] = certificate.subs;
  if (!tbs) return certificate;
  const subs = tbs.subs.map(part =>
    part.tag.isContextSpecific(3)
      ? rebuilt(
          part,
          part.subs.map(list => rebuilt(list, [...list.subs])),
        )
      : part,
  );
  return rebuilt(certificate, [rebuilt(tbs, subs), ...signature]);
}

function rebuilt({ tag, value }: ASN1Obj, subs: ASN1Obj[]): ASN1Obj {
  return new ASN1Obj(tag, value, subs);
}
