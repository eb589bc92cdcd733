"""From projections to grey values, and from labels to virtual projections and scans."""
