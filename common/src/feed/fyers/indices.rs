//! What the wire calls an index: the exchange's broadcast name, not its symbol.
//!
//! Fyers publishes the full table at <https://public.fyers.in/sym_details/index_hsm_mapping.json>. Here are those whose
//! name cannot be told from the symbol and that people follow.

/// Symbol without `-INDEX`, and the name.
const NAMES: &[(&str, &str)] = &[
    ("BSE:100", "BSE100"),
    ("BSE:200", "BSE200"),
    ("BSE:500", "BSE500"),
    ("BSE:150MIDCAP", "MID150"),
    ("BSE:250LARGEMIDCAP", "LMI250"),
    ("BSE:250SMALLCAP", "SML250"),
    ("BSE:400MIDSMALLCAP", "MSL400"),
    ("BSE:CD", "BSE CD"),
    ("BSE:CG", "BSE CG"),
    ("BSE:FMC", "BSEFMC"),
    ("BSE:GREENEX", "GREENX"),
    ("BSE:HC", "BSE HC"),
    ("BSE:IPO", "BSEIPO"),
    ("BSE:IT", "BSE IT"),
    ("BSE:PSU", "BSEPSU"),
    ("BSE:SENSEX", "SENSEX"),
    ("NSE:FINNIFTY", "Nifty Fin Service"),
    ("NSE:INDIAVIX", "India VIX"),
    ("NSE:MIDCPNIFTY", "NIFTY MID SELECT"),
    ("NSE:NIFTY100", "Nifty 100"),
    ("NSE:NIFTY100 EQL WGT", "NIFTY100 EQL WGT"),
    ("NSE:NIFTY100 LOWVOL30", "NIFTY100 LowVol30"),
    ("NSE:NIFTY200", "Nifty 200"),
    ("NSE:NIFTY50", "Nifty 50"),
    ("NSE:NIFTY50 EQL WGT", "NIFTY50 EQL Wgt"),
    ("NSE:NIFTY500", "Nifty 500"),
    ("NSE:NIFTY50VALUE20", "Nifty50 Value 20"),
    ("NSE:NIFTYALPHA50", "NIFTY Alpha 50"),
    ("NSE:NIFTYAUTO", "Nifty Auto"),
    ("NSE:NIFTYBANK", "Nifty Bank"),
    ("NSE:NIFTYCOMMODITIES", "Nifty Commodities"),
    ("NSE:NIFTYCONSRDURBL", "NIFTY CONSR DURBL"),
    ("NSE:NIFTYCONSUMPTION", "Nifty Consumption"),
    ("NSE:NIFTYCPSE", "Nifty CPSE"),
    ("NSE:NIFTYENERGY", "Nifty Energy"),
    ("NSE:NIFTYFINSERVICE", "Nifty Fin Service"),
    ("NSE:NIFTYFMCG", "Nifty FMCG"),
    ("NSE:NIFTYHEALTHCARE", "NIFTY HEALTHCARE"),
    ("NSE:NIFTYINFRA", "Nifty Infra"),
    ("NSE:NIFTYIT", "Nifty IT"),
    ("NSE:NIFTYMEDIA", "Nifty Media"),
    ("NSE:NIFTYMETAL", "Nifty Metal"),
    ("NSE:NIFTYMIDCAP100", "NIFTY MIDCAP 100"),
    ("NSE:NIFTYMIDCAP150", "NIFTY MIDCAP 150"),
    ("NSE:NIFTYMIDCAP50", "Nifty Midcap 50"),
    ("NSE:NIFTYMIDSML400", "NIFTY MIDSML 400"),
    ("NSE:NIFTYMNC", "Nifty MNC"),
    ("NSE:NIFTYNXT50", "Nifty Next 50"),
    ("NSE:NIFTYOILANDGAS", "NIFTY OIL AND GAS"),
    ("NSE:NIFTYPHARMA", "Nifty Pharma"),
    ("NSE:NIFTYPSE", "Nifty PSE"),
    ("NSE:NIFTYPSUBANK", "Nifty PSU Bank"),
    ("NSE:NIFTYPVTBANK", "Nifty Pvt Bank"),
    ("NSE:NIFTYREALTY", "Nifty Realty"),
    ("NSE:NIFTYSERVSECTOR", "Nifty Serv Sector"),
    ("NSE:NIFTYSMLCAP100", "NIFTY SMLCAP 100"),
    ("NSE:NIFTYSMLCAP250", "NIFTY SMLCAP 250"),
    ("NSE:NIFTYSMLCAP50", "NIFTY SMLCAP 50"),
];

/// The name of the index `symbol`, e.g. `NSE:NIFTY50-INDEX` -> `Nifty 50`. Of one that is not listed, as the official
/// library has it: what stands between the colon and the first dash.
pub(super) fn broadcast_name(symbol: &str) -> &str {
    let stem = symbol.strip_suffix("-INDEX").unwrap_or(symbol);
    if let Some((_, name)) = NAMES.iter().find(|(listed, _)| *listed == stem) {
        return name;
    }
    let local = symbol.split_once(':').map_or(symbol, |(_exchange, local)| local);
    local.split('-').next().unwrap_or(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_index_has_its_broadcast_name_and_others_their_stem() {
        for (symbol, name) in [
            ("NSE:NIFTY50-INDEX", "Nifty 50"),
            ("NSE:NIFTYBANK-INDEX", "Nifty Bank"),
            ("BSE:SENSEX-INDEX", "SENSEX"),
            ("BSE:BANKEX-INDEX", "BANKEX"),
            ("NSE:BHARATBOND-APR30-INDEX", "BHARATBOND"),
            ("NSE:", ""),
            ("", ""),
        ] {
            assert_eq!(broadcast_name(symbol), name, "{symbol}");
        }
    }
}
