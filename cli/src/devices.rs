//! `pinfold devices`: what can compute.

use clap::Args;
use pinfold::DeviceKind;

use crate::output::{self, Align, Exit, Failure, Table};

/// List what can compute on this machine
#[derive(Args)]
#[command(after_help = "Examples:\n  pinfold devices\n  pinfold run model.gguf --device CUDA0 \"Hello\"")]
pub struct DevicesArgs {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

pub fn devices(args: &DevicesArgs) -> Result<Exit, Failure> {
    let devices = pinfold::engine::devices::devices()?;
    if args.json {
        output::print_json(&devices)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("kind", Align::Left),
        ("free", Align::Right),
        ("memory", Align::Right),
        ("kernels", Align::Left),
        ("description", Align::Left),
    ]);
    for device in devices {
        let kind = match device.kind {
            DeviceKind::Cpu => "processor",
            DeviceKind::Gpu => "GPU",
            DeviceKind::IntegratedGpu => "integrated GPU",
            DeviceKind::Accelerator => "accelerator",
        };
        table.row([
            device.name,
            kind.into(),
            output::size(device.memory_free),
            output::size(device.memory_total),
            device.kernels.unwrap_or_else(|| "-".into()),
            device.description,
        ]);
    }
    output::print(&table.to_string())?;
    Ok(Exit::Done)
}
