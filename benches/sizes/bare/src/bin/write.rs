//! Writes a line: one POST over ureq and rustls.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = format!("{}/api/v2/write?bucket=db", std::env::var("INFLUX_HOST")?);
    let token = std::env::var("INFLUX_TOKEN")?;
    let request = ureq::post(url).header("authorization", format!("Bearer {token}"));
    request.send(&b"home,room=Kitchen temp=21.5\n"[..])?;
    Ok(())
}
