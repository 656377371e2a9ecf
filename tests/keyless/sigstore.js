// Keyless bundles by Sigstore's npm client, before a mock of Fulcio, Rekor and the CT log; and that client's own verdict.
//
//   node sigstore.js found FOLDER                              a mock: its keys, and FOLDER/trusted_root.json
//   node sigstore.js sign FOLDER <WANTED                       FOLDER/NAME.sigstore.json for { NAME: { identity, issuer, payload, further } }
//   node sigstore.js verify ROOT BUNDLE IDENTITY ISSUER
//
// No network is asked.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const nock = require('nock');
const x509 = require('@peculiar/x509');
const mock = require('@sigstore/mock');
const { bundleFromJSON, bundleToJSON } = require('@sigstore/bundle');
const { DSSEBundleBuilder, FulcioSigner, RekorWitness } = require('@sigstore/sign');
const { HashAlgorithm, PublicKeyDetails, TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const FULCIO = 'https://fulcio.example';
const REKOR = 'https://rekor.example';
const CTLOG = 'https://ctlog.example';
const YEAR = 365 * 24 * 60 * 60 * 1000;
const IN_TOTO = 'application/vnd.in-toto+json';

const NAMES = ['ctlog', 'ca', 'tlog'];

// The keys of a mock lie in its folder: what it signs is signed after its trusted root was pinned.
function keys(folder) {
  const read = (name) => {
    const privateKey = crypto.createPrivateKey(fs.readFileSync(path.join(folder, `${name}.pem`)));
    return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
  };
  return Object.fromEntries(NAMES.map((name) => [name, read(name)]));
}

async function begin(folder) {
  const own = keys(folder);
  const ctlog = await mock.initializeCTLog(own.ctlog);
  const ca = await mock.initializeCA(own.ca, ctlog);
  const tlog = await mock.initializeTLog(REKOR, own.tlog);
  return { ctlog, ca, tlog };
}

function answers(base, handler) {
  nock(base)
    .persist()
    .post(handler.path)
    .reply(async (_, body) => {
      const { statusCode, response, contentType } = await handler.fn(JSON.stringify(body));
      return [statusCode, response, { 'Content-Type': contentType || 'text/plain' }];
    });
}

// An identity token that nobody signed: the mock believes it.
function token(identity, issuer) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: identity, iss: issuer })}.`;
}

// The mock gives its certificates one name; these stand behind it.
let further = [];
const Names = x509.SubjectAlternativeNameExtension;
x509.SubjectAlternativeNameExtension = class extends Names {
  constructor(names, ...rest) {
    super(Array.isArray(names) ? [...names, ...further] : names, ...rest);
  }
};

async function found(folder) {
  for (const name of NAMES) {
    const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    fs.writeFileSync(path.join(folder, `${name}.pem`), pem);
  }
  const { ctlog, ca, tlog } = await begin(folder);
  // The log counts in whole seconds, so it may be earlier than the clock.
  const began = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000);
  const validFor = { start: began, end: new Date(began.getTime() + YEAR) };
  const log = (baseUrl, key) => ({
    baseUrl,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    logId: { keyId: crypto.createHash('sha256').update(key).digest() },
    publicKey: { rawBytes: key, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256, validFor },
    checkpointKeyId: undefined,
  });
  const root = TrustedRoot.toJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [
      {
        subject: { commonName: 'sigstore', organization: 'sigstore.mock' },
        uri: FULCIO,
        certChain: { certificates: [{ rawBytes: Buffer.from(ca.rootCertificate) }] },
        validFor,
      },
    ],
    tlogs: [log(REKOR, tlog.publicKey)],
    ctlogs: [log(CTLOG, ctlog.publicKey)],
    timestampAuthorities: [],
  });
  fs.writeFileSync(path.join(folder, 'trusted_root.json'), JSON.stringify(root, null, 1) + '\n');
}

async function sign(folder, wanted) {
  const { ca, tlog } = await begin(folder);
  nock.disableNetConnect();
  answers(FULCIO, mock.fulcioHandler(ca));
  answers(REKOR, mock.rekorHandler(tlog));
  for (const [name, { identity, issuer, payload, ...more }] of Object.entries(wanted)) {
    further = (more.further ?? []).map((value) => ({ type: 'url', value }));
    const signer = new FulcioSigner({
      fulcioBaseURL: FULCIO,
      identityProvider: { getToken: async () => token(identity, issuer) },
    });
    // The mock keeps a `dsse` entry as it is proposed, which no log does; `intoto` is as Rekor keeps it.
    const witness = new RekorWitness({ rekorBaseURL: REKOR, entryType: 'intoto' });
    const builder = new DSSEBundleBuilder({ signer, witnesses: [witness] });
    const bundle = await builder.create({ data: Buffer.from(payload), type: IN_TOTO });
    const text = JSON.stringify(bundleToJSON(bundle), null, 1) + '\n';
    fs.writeFileSync(path.join(folder, `${name}.sigstore.json`), text);
  }
}

function verify(root, bundle, identity, issuer) {
  const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(read(root))));
  const whole = `^${identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const policy = { subjectAlternativeName: whole, extensions: { issuer } };
  verifier.verify(toSignedEntity(bundleFromJSON(read(bundle))), policy);
}

function failed(error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}

const [, , what, ...rest] = process.argv;
if (what === 'found') {
  found(...rest).catch(failed);
} else if (what === 'sign') {
  sign(...rest, JSON.parse(fs.readFileSync(0, 'utf8'))).catch(failed);
} else if (what === 'verify') {
  try {
    verify(...rest);
    console.log('verified');
  } catch (error) {
    failed(error);
  }
} else {
  console.error('found FOLDER, sign FOLDER, or verify ROOT BUNDLE IDENTITY ISSUER');
  process.exitCode = 64;
}
