//! One connection: its settings, its encryption, and a name for it that shows no secret.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::BoxError;
use crate::store::StoreError;

/// From the first packet to a connection that takes statements.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Silence after which the kernel asks whether the other side still exists.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
/// How long sent bytes may stay unconfirmed: a cut cable (a frozen server still confirms).
const UNCONFIRMED_MAX: Duration = Duration::from_secs(15);

/// What the server is asked for each session:
/// - the limit of a statement, in milliseconds; below `pool::CALL_MAX`, so that a slow server is told apart from a dead one;
/// - one plan per statement, made once: a batch's plan does not depend on its values;
/// - a batch's rows are looked up one by one, in its order, through the primary key. Hash and merge joins lock them in the
///   order of the table, and two writers that lock in different orders end in a deadlock; and a plan made while the table
///   was small reads and sorts all of it for every batch, however big it is by then.
const SESSION: &str = "-c statement_timeout=30000 -c plan_cache_mode=force_generic_plan \
                       -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off";

/// Where and how to connect.
#[derive(Debug)]
pub(super) struct Link {
    config: Config,
    place: String,
}

impl Link {
    /// Reads a URL; nothing is contacted.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let unfit = |problem: String| StoreError::Unfit {
            place: "postgres://".to_owned(),
            problem,
            fix: "give it as postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned(),
        };
        // The parser's errors name options, never values.
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            unfit(format!("the URL cannot be read: {error}{cause}"))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(unfit("the URL names no host".to_owned()));
        }
        let options = [config.get_options().unwrap_or_default(), SESSION].join(" ");
        config
            .options(options.trim())
            .application_name("tidemill")
            .connect_timeout(CONNECT_MAX)
            .tcp_user_timeout(UNCONFIRMED_MAX)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        let place = place(&config);
        Ok(Self { config, place })
    }

    /// Host, port and database: safe to show.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<AsyncPgConnection, StoreError> {
        match tokio::time::timeout(CONNECT_MAX, self.establish()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err((code, source))) => Err(StoreError::Systemic { place: self.place.clone(), code, source }),
            Err(_elapsed) => Err(StoreError::Systemic {
                place: self.place.clone(),
                code: None,
                source: format!("no connection within {CONNECT_MAX:?}").into(),
            }),
        }
    }

    async fn establish(&self) -> Result<AsyncPgConnection, (Option<Box<str>>, BoxError)> {
        let coded = |error: tokio_postgres::Error| (error.code().map(|code| code.code().into()), error.into());
        let tls = tls(self.config.get_ssl_mode()).map_err(|error| (None, error.into()))?;
        let (client, connection) = self.config.connect(tls).await.map_err(coded)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection)
            .await
            .map_err(|error| (None, error.into()))
    }
}

fn place(config: &Config) -> String {
    let host = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => name.clone(),
        #[cfg(unix)]
        (Some(Host::Unix(path)), _) => path.display().to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{host}:{port}/{database}")
}

/// `sslmode=require` checks the server's certificate against the public roots. `prefer` (the default) encrypts where
/// the server can and trusts any certificate, as PostgreSQL's own clients do: many servers have one made by themselves.
fn tls(mode: SslMode) -> Result<MakeRustlsConnect, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = if mode == SslMode::Require {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        builder.with_root_certificates(roots).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider))).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Trusts any certificate whose key the server really holds.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_no_secret() {
        let link = Link::parse("postgres://ann:s3cret@db.example:6543/prices?sslmode=disable").unwrap();
        assert_eq!(link.place(), "postgres://db.example:6543/prices");
    }

    #[test]
    fn a_bad_url_is_named_without_its_password() {
        for url in ["postgres://ann:s3cret@host:port/x", "postgres://ann:s3cret@/x", "postgres://ann:s3cret@h/x?ssl=1"]
        {
            let error = Link::parse(url).unwrap_err();
            assert!(matches!(error, StoreError::Unfit { .. }), "{error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn both_kinds_of_encryption_can_be_set_up() {
        for mode in [SslMode::Require, SslMode::Prefer] {
            assert!(tls(mode).is_ok());
        }
    }
}
