"""What is shown: scenes and their SVG, frames for the player, tables, charts, pages."""
