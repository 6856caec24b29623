//! A server with a certificate of one's own authority, reached by an address: roots and the name to verify.
//!
//! `cargo run --example custom_tls` makes an authority, a certificate and a server with it.

use std::error::Error;

use influxdb3_blocking::{Client, ErrorKind, Point};
use influxdb3_dev_server::DevServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

fn main() -> Result<(), Box<dyn Error>> {
    // What the company's authority does.
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec!["influx.corp.example".to_owned()])?;
    let certificate = params.signed_by(&key, &authority)?;

    let server = DevServer::builder().tls(certificate.pem(), key.serialize_pem()).start()?;
    println!("The server is {}", server.url());
    let point = || Point::new("home").tag("room", "Kitchen").field("temp", 21.5);

    // Nobody known has signed it.
    let builder = Client::builder().host(server.url()).database("sensors");
    let stranger = builder.clone().build()?;
    match stranger.write(point()).send() {
        Err(error) if error.kind() == ErrorKind::Tls => println!("As it should: {error}"),
        other => return Err(format!("a stranger was trusted: {other:?}").into()),
    }

    // With the authority beside the bundled roots, and the name that the certificate is for, both ways are open.
    let client = builder
        .tls_add_root_certs(authority.pem())
        .tls_server_name("influx.corp.example")
        .build()?;
    client.write(point()).send()?;
    let table = client.query("SELECT temp FROM home").table()?;
    println!("{} row over TLS", table.num_rows());

    client.close()?;
    Ok(())
}
