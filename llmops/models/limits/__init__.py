"""What holds requests back: lanes, rates and what the server tells of them."""
