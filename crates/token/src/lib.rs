//! Performs token requests: PKCS#11 modules and the rehearsal token.
