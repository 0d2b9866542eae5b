// Why two ends of TLS do not come together, in words: OpenSSL's own name a line of its source, Node's a code.

const reasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate is revoked',
  CERT_SIGNATURE_FAILURE: 'its certificate is not signed by the authority that it names',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself, not by our CA',
  INVALID_CA: 'its certificate is signed by one that is no CA',
  INVALID_PURPOSE: 'its certificate is not made for this side of a connection',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of another CA than ours',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of another CA than ours',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of another CA than ours',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of another CA than ours',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it shows no certificate',
  ERR_SSL_HTTP_REQUEST: 'it speaks plain HTTP where TLS is spoken',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no TLS of version 1.2 or newer',
  ERR_SSL_VERSION_TOO_LOW: 'it speaks no TLS of version 1.2 or newer',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks another version of TLS',
  ERR_SSL_NO_SHARED_CIPHER: 'it has no cipher in common with us',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of us',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refuses our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it refuses our certificate as expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'it refuses our certificate as revoked',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it refuses our certificate',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'it refuses our certificate, which is not made for clients',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it refuses our certificate, which is of another CA than its own',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it does not know the name by which we call it',
};

/** What a write that fails says in place of a code: OpenSSL's number of the reason. */
const numbers: Readonly<Record<string, string>> = {
  '0A00010B': 'ERR_SSL_WRONG_VERSION_NUMBER',
  '0A0000C6': 'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  '0A000412': 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  '0A000414': 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
  '0A000415': 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  '0A000416': 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  '0A000418': 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  '0A00042E': 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  '0A00045C': 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
};

export interface TlsRefusal {
  readonly code: string;
  /** The other side is "it". */
  readonly reason: string;
}

/** What a failure of this code, and this message, means; undefined for one that is no matter of TLS. */
export function tlsRefusal(code: string | undefined, message: string): TlsRefusal | undefined {
  const number = code === 'EPROTO' ? /:error:([0-9A-F]{8}):/.exec(message)?.[1] : undefined;
  const name = number === undefined ? code : numbers[number];
  const reason = name !== undefined && Object.hasOwn(reasons, name) ? reasons[name] : undefined;
  return name === undefined || reason === undefined ? undefined : { code: name, reason };
}
