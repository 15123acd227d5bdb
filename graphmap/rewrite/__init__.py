"""Files under other names: checkpoints, graphs, SavedModels; tensor bytes are only copied."""
